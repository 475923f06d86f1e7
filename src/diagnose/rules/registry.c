// SPDX-License-Identifier: GPL-2.0-or-later
/* All rules, sorted by id, one to a line. A rule that is not listed here does not exist. */
#include "diagnose/rules/rules.h"

/* clang-format off */
const struct rule *const diagnose_rules[] = {
	&rule_dir_attribute_storm,
	&rule_dir_cookie_loop,
	&rule_dir_listing_restarted,
	&rule_dir_listing_rtt_bound,
	&rule_dir_server_slow,
	&rule_host_link_down,
	&rule_net_unreachable,
	&rule_nfs4_client_expired,
	&rule_nfs4_client_owner_collision,
	&rule_nfs4_clientid_in_use,
	&rule_nfs4_clientid_mismatch,
	&rule_nfs4_grace_wait,
	&rule_nfs4_lease_expired,
	&rule_nfs4_lock_reclaim_failed,
	&rule_nfs4_server_restart,
	&rule_nfs4_session_only_lost,
	&rule_nfs4_session_reset_loop,
	&rule_nfs4_slots_counted,
	&rule_nlm_blocked,
	&rule_nlm_denied_nolocks,
	&rule_nlm_grace,
	&rule_nlm_retransmission_denied,
	&rule_nsm_monitor_failed,
	&rule_portmap_unanswered,
	&rule_rpc_auth_refused,
	&rule_rpc_framing_broken,
	&rule_rpc_not_responding,
	&rule_rpc_not_sent,
	&rule_rpc_retransmission,
	&rule_rpc_server_silent,
	&rule_rpc_server_slow,
	&rule_rpc_timeout_too_small,
	&rule_soft_mount_io_error,
	&rule_task_hung,
	&rule_tcp_fin_unanswered,
	&rule_tcp_half_closed,
	&rule_tcp_large_segments_lost,
	&rule_tcp_loss,
	&rule_tcp_path_silent,
	&rule_tcp_syn_challenged,
	&rule_tcp_syn_refused,
	&rule_tcp_syn_unanswered,
	&rule_tcp_synack_unacknowledged,
};
/* clang-format on */

const size_t diagnose_rules_count = sizeof(diagnose_rules) / sizeof(diagnose_rules[0]);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every rule, for registry.c: one line a rule, sorted. */
#ifndef DIAGNOSE_RULES_RULES_H
#define DIAGNOSE_RULES_RULES_H

#include "diagnose/rule.h"

extern const struct rule rule_client_memory_exhausted;
extern const struct rule rule_dir_attribute_storm;
extern const struct rule rule_dir_cookie_loop;
extern const struct rule rule_dir_listing_exclusive;
extern const struct rule rule_dir_listing_restarted;
extern const struct rule rule_dir_listing_rtt_bound;
extern const struct rule rule_dir_listing_writer_queued;
extern const struct rule rule_dir_server_slow;
extern const struct rule rule_file_handle_stale;
extern const struct rule rule_getattr_flush;
extern const struct rule rule_gss_upcall_stuck;
extern const struct rule rule_host_filter_drop;
extern const struct rule rule_host_link_down;
extern const struct rule rule_idmap_slow;
extern const struct rule rule_mount_trunking_blocked;
extern const struct rule rule_net_unreachable;
extern const struct rule rule_nfs4_backchannel_down;
extern const struct rule rule_nfs4_client_expired;
extern const struct rule rule_nfs4_client_owner_collision;
extern const struct rule rule_nfs4_clientid_in_use;
extern const struct rule rule_nfs4_clientid_mismatch;
extern const struct rule rule_nfs4_delay_loop;
extern const struct rule rule_nfs4_false_retry;
extern const struct rule rule_nfs4_grace_too_long;
extern const struct rule rule_nfs4_grace_wait;
extern const struct rule rule_nfs4_lease_expired;
extern const struct rule rule_nfs4_lock_reclaim_failed;
extern const struct rule rule_nfs4_recall_unanswered;
extern const struct rule rule_nfs4_server_restart;
extern const struct rule rule_nfs4_server_scope_changed;
extern const struct rule rule_nfs4_session_only_lost;
extern const struct rule rule_nfs4_session_reset_loop;
extern const struct rule rule_nfs4_slot_out_of_step;
extern const struct rule rule_nfs4_slots_counted;
extern const struct rule rule_nfs4_slots_exhausted;
extern const struct rule rule_nfs4_state_manager_stuck;
extern const struct rule rule_nfs4_stateid_loop;
extern const struct rule rule_nfs4_test_stateid_loop;
extern const struct rule rule_nfsd_threads_stuck;
extern const struct rule rule_nlm_blocked;
extern const struct rule rule_nlm_denied_nolocks;
extern const struct rule rule_nlm_grace;
extern const struct rule rule_nlm_granted_lost;
extern const struct rule rule_nlm_port_changed;
extern const struct rule rule_nlm_retransmission_denied;
extern const struct rule rule_nlm_server_restart;
extern const struct rule rule_nsm_monitor_failed;
extern const struct rule rule_nsm_notify_lost;
extern const struct rule rule_portmap_unanswered;
extern const struct rule rule_rpc_auth_refused;
extern const struct rule rule_rpc_framing_broken;
extern const struct rule rule_rpc_not_responding;
extern const struct rule rule_rpc_not_sent;
extern const struct rule rule_rpc_retransmission;
extern const struct rule rule_rpc_server_silent;
extern const struct rule rule_rpc_server_slow;
extern const struct rule rule_rpc_task_manager;
extern const struct rule rule_rpc_task_port;
extern const struct rule rule_rpc_task_refused;
extern const struct rule rule_rpc_task_silent;
extern const struct rule rule_rpc_task_slots;
extern const struct rule rule_rpc_task_slow;
extern const struct rule rule_rpc_task_unanswered;
extern const struct rule rule_rpc_task_unreachable;
extern const struct rule rule_rpc_task_wire;
extern const struct rule rule_rpc_timeout_too_small;
extern const struct rule rule_soft_mount_io_error;
extern const struct rule rule_task_hung;
extern const struct rule rule_task_waits_for_rpc;
extern const struct rule rule_tcp_delivery_delayed;
extern const struct rule rule_tcp_fin_unanswered;
extern const struct rule rule_tcp_half_closed;
extern const struct rule rule_tcp_large_segments_lost;
extern const struct rule rule_tcp_loss;
extern const struct rule rule_tcp_path_silent;
extern const struct rule rule_tcp_syn_challenged;
extern const struct rule rule_tcp_syn_refused;
extern const struct rule rule_tcp_syn_unanswered;
extern const struct rule rule_tcp_synack_unacknowledged;
extern const struct rule rule_writeback_stalled;

#endif

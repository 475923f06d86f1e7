// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sessions of crash(8): the head of bt, objects that `bt -FF` names on a stack, and the fields of
 * structures by which a file, a dentry or a lock is known to belong to one inode.
 *
 * The prompt may be there or not, and comments stand everywhere. Which task an address belongs to
 * is told by the last command, head or comment that named one.
 */
#include "evidence/taskdump/taskdump_private.h"

static struct slice behind(struct slice text, const char *words)
{
	struct slice rest = text_find(text, words);

	return rest.len ? text_trim(text_after(rest, strlen(words))) : rest;
}

static bool take_state(struct slice text, char *state)
{
	if (text_holds(text, "[UN]"))
		*state = 'D';
	else if (text_holds(text, "[RU]"))
		*state = 'R';
	else if (text_holds(text, "[IN]"))
		*state = 'S';
	else
		return false;
	return true;
}

/* "PID: 247      TASK: ffff9a9cc2b2de80  CPU: 1    COMMAND: "ls"" */
static bool take_bt_head(struct taskdump *t, struct slice text)
{
	struct slice rest = behind(text, "PID: ");
	struct slice name = rest.len ? behind(text, "COMMAND: \"") : rest;
	const uint8_t *quote = name.len ? memchr(name.ptr, '"', name.len) : NULL;
	struct taskdump_open *o = &t->now;
	char state = TASK_STATE_NONE;
	uint64_t address;
	int64_t pid;

	if (!quote || !text_number(text_word(&rest), &pid) ||
	    !stack_address_parse(behind(text, "TASK: "), &address))
		return false;
	name.len = (size_t)(quote - name.ptr);
	take_state(text, &state);
	if (!(o->open && o->form == TASKDUMP_CRASH && o->fact.pid == pid &&
	      o->fact.frames_len == 0 && o->fact.objects_len == 0 && o->fact.address == 0))
		taskdump_begin(t, TASKDUMP_CRASH, pid, name, state);
	else
		o->fact.name = taskdump_keep(t, name);
	o->fact.address = address;
	o->line = t->line;
	return true;
}

static enum taskdump_struct struct_of(struct slice name)
{
	static const struct {
		const char *name;
		enum taskdump_struct type;
	} types[] = {
		{"file", TASKDUMP_STRUCT_FILE},           {"dentry", TASKDUMP_STRUCT_DENTRY},
		{"nfs_inode", TASKDUMP_STRUCT_NFS_INODE}, {"inode", TASKDUMP_STRUCT_INODE},
		{"rw_semaphore", TASKDUMP_STRUCT_RWSEM},
	};
	const uint8_t *dot = name.len ? memchr(name.ptr, '.', name.len) : NULL;

	if (dot)
		name.len = (size_t)(dot - name.ptr);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (slice_equal(name, slice_of_string(types[i].name)))
			return types[i].type;
	return TASKDUMP_STRUCT_OTHER;
}

/* "struct file.f_inode ffff91fe2bb65b00", also without "struct" behind a prompt. */
static bool take_struct(struct taskdump *t, struct slice rest, bool prompt)
{
	struct slice word = text_word(&rest);
	enum taskdump_struct type;
	uint64_t address;
	bool named = slice_equal(word, slice_of_string("struct"));

	if (named)
		word = text_word(&rest);
	else if (!prompt)
		return false;
	type = struct_of(word);
	if (type == TASKDUMP_STRUCT_OTHER)
		return false;
	if (type != t->type || prompt)
		t->of = 0; /* else it is the head of what was asked for: "struct inode {" */
	t->type = type;
	t->in_lock = false;
	t->field = TASKDUMP_FIELD_NONE;
	for (word = text_word(&rest); word.len; word = text_word(&rest))
		if (stack_address_parse(word, &address)) {
			t->of = address;
			break;
		}
	return true;
}

/* "bt 3632440 -FF", "set 3632440": the task that follows. */
static void take_command(struct taskdump *t, struct slice rest)
{
	struct slice word = text_word(&rest);
	int64_t pid;

	t->type = TASKDUMP_STRUCT_OTHER;
	t->of = 0;
	if (slice_equal(word, slice_of_string("bt")) || slice_equal(word, slice_of_string("set"))) {
		for (word = text_word(&rest); word.len; word = text_word(&rest))
			if (text_number(word, &pid)) {
				taskdump_begin(t, TASKDUMP_CRASH, pid, slice_make(NULL, 0),
					       TASK_STATE_NONE);
				return;
			}
	}
	if (slice_equal(word, slice_of_string("ps")) ||
	    slice_equal(word, slice_of_string("foreach")))
		taskdump_finish(t);
}

/* "crash> bt 247", "crash_x86_64> ps" */
static bool take_prompt(struct taskdump *t, struct slice text)
{
	struct slice rest =
		text_begins(text, "crash") ? text_find(text, "> ") : slice_make(NULL, 0);

	if (rest.len == 0 || rest.ptr - text.ptr > 16)
		return false;
	rest = text_trim(text_after(rest, 2));
	if (!take_struct(t, rest, true))
		take_command(t, rest);
	return true;
}

/* What a slab's name tells of an address on a stack; a name may have ":memory group" behind it. */
static bool object_kind(struct slice slab, enum task_object_kind *out)
{
	static const struct {
		const char *slab;
		enum task_object_kind kind;
	} kinds[] = {
		{"filp", TASK_OBJECT_FILE},
		{"dentry", TASK_OBJECT_DENTRY},
		{"nfs_inode_cache", TASK_OBJECT_NFS_INODE},
		{"task_struct", TASK_OBJECT_TASK},
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t len = strlen(kinds[i].slab);

		if (text_begins(slab, kinds[i].slab) &&
		    (slab.len == len || slab.ptr[len] == '(' || slab.ptr[len] == ':')) {
			*out = kinds[i].kind;
			return true;
		}
	}
	return false;
}

static void add_object(struct taskdump *t, enum task_object_kind kind, uint64_t address)
{
	struct taskdump_open *o = &t->now;
	struct task_object *object;

	if (kind == TASK_OBJECT_FILE)
		t->last_file = address;
	for (size_t i = 0; i < o->fact.objects_len; i++)
		if (o->objects[i].address == address)
			return;
	if (o->fact.objects_len == TASK_OBJECTS_MAX)
		return;
	object = &o->objects[o->fact.objects_len++];
	*object = (struct task_object){.kind = kind, .address = address, .frame = -1};
	if (o->fact.frames_len)
		object->frame = o->fact.first_frame + (int32_t)o->fact.frames_len - 1;
}

/* "    ffffa932c498be60: 00000000fffffff2 [ffff91fe2bb65b00:filp]", or the bracket alone. */
static bool take_objects(struct taskdump *t, struct slice text)
{
	struct slice rest;
	bool found = false;

	if (!t->now.open || t->now.form != TASKDUMP_CRASH)
		return false;
	for (rest = text_find(text, "["); rest.len; rest = text_find(rest, "[")) {
		enum task_object_kind kind;
		uint64_t address;
		size_t len;
		const uint8_t *end;

		rest = text_after(rest, 1);
		len = stack_address_parse(rest, &address);
		if (len == 0 || len >= rest.len || rest.ptr[len] != ':')
			continue;
		rest = text_after(rest, len + 1);
		end = rest.len ? memchr(rest.ptr, ']', rest.len) : NULL;
		if (!end)
			break;
		found = true;
		if (object_kind(slice_make(rest.ptr, (size_t)(end - rest.ptr)), &kind))
			add_object(t, kind, address);
	}
	return found;
}

static void tell(struct taskdump *t, enum object_relation relation, uint64_t address,
		 uint64_t value)
{
	struct object_fact fact = {.relation = relation, .address = address, .value = value};

	if (address && value)
		t->ops->object(t->context, &fact);
}

/* The value behind "name = ", or drgn's ".name = (type)"; false: it is another field. */
static bool field_value(struct slice text, const char *name, uint64_t *out)
{
	struct slice rest = text;

	if (!text_begins(rest, name))
		return false;
	rest = text_trim(text_after(rest, strlen(name)));
	if (!text_begins(rest, "= "))
		return false;
	rest = text_trim(text_after(rest, 2));
	if (text_begins(rest, "("))
		rest = text_trim(text_after(text_find(rest, ")"), 1));
	return text_c_number(rest, out);
}

/* "name = {", or drgn's ".name = (type){" */
static bool field_opens(struct slice text, const char *name)
{
	size_t len = strlen(name);

	return text_begins(text, name) && text_begins(text_after(text, len), " = ") &&
	       text.ptr[text.len - 1] == '{';
}

/* "next = 0xffffd095c063fd70,": what waits for a lock is a node on the stack of who waits. */
static bool take_waiter(struct taskdump *t, struct slice text)
{
	uint64_t value;

	if (!field_value(text, "next", &value) && !field_value(text, "prev", &value)) {
		t->field = TASKDUMP_FIELD_NONE;
		return false;
	}
	tell(t, OBJECT_LOCK_WAITER, t->of, value);
	return true;
}

static bool take_lock(struct taskdump *t, struct slice text)
{
	bool is_lock = t->type == TASKDUMP_STRUCT_RWSEM || t->type == TASKDUMP_STRUCT_INODE;
	uint64_t value;

	if (!is_lock || t->of == 0)
		return false;
	if (t->type == TASKDUMP_STRUCT_INODE) {
		/* Its mapping has a lock of the same form. */
		if (text_begins(text, "i_"))
			t->in_lock = field_opens(text, "i_rwsem");
		if (!t->in_lock)
			return false;
	}
	if (field_opens(text, "wait_list")) {
		t->field = TASKDUMP_FIELD_WAITERS;
		return true;
	}
	if (t->field == TASKDUMP_FIELD_WAITERS)
		return take_waiter(t, text);
	if (field_opens(text, "count"))
		t->field = TASKDUMP_FIELD_COUNT;
	else if (field_opens(text, "owner"))
		t->field = TASKDUMP_FIELD_OWNER;
	else if (field_value(text, "owner", &value))
		tell(t, OBJECT_LOCK_OWNER, t->of, value);
	else if (!field_value(text, "counter", &value) || t->field == TASKDUMP_FIELD_NONE)
		return false;
	else {
		tell(t, t->field == TASKDUMP_FIELD_OWNER ? OBJECT_LOCK_OWNER : OBJECT_LOCK_COUNT,
		     t->of, value);
		t->field = TASKDUMP_FIELD_NONE;
	}
	return true;
}

/* drgn: "*(struct rw_semaphore *)0xffff9a9cc2b2de80 = {" */
static bool take_drgn_struct(struct taskdump *t, struct slice text)
{
	struct slice rest = text_after(text, 2);
	struct slice word;
	uint64_t address;

	if (!text_begins(text, "*(struct "))
		return false;
	text_word(&rest);
	word = text_word(&rest);
	rest = text_after(text_find(rest, "*)"), 2);
	if (struct_of(word) == TASKDUMP_STRUCT_OTHER || !stack_address_parse(rest, &address))
		return false;
	t->type = struct_of(word);
	t->of = address;
	t->in_lock = false;
	t->field = TASKDUMP_FIELD_NONE;
	return true;
}

/* "[ffff91fca5985500] struct inode vfs_inode;" of `struct nfs_inode -o`. */
static bool take_embedded(struct taskdump *t, struct slice text)
{
	uint64_t address;

	if (!text_begins(text, "[") || !text_holds(text, "struct inode vfs_inode"))
		return false;
	if (stack_address_parse(text_after(text, 1), &address))
		tell(t, OBJECT_INODE_OF, t->of, address);
	return true;
}

static bool take_field(struct taskdump *t, struct slice text)
{
	uint64_t value;

	if (text_begins(text, "."))
		text = text_after(text, 1);
	if (field_value(text, "f_inode", &value)) {
		tell(t, OBJECT_INODE_OF,
		     t->type == TASKDUMP_STRUCT_FILE && t->of ? t->of : t->last_file, value);
		return true;
	}
	if (field_value(text, "d_inode", &value)) {
		if (t->type == TASKDUMP_STRUCT_DENTRY)
			tell(t, OBJECT_INODE_OF, t->of, value);
		return true;
	}
	if (field_value(text, "i_mode", &value)) {
		if (t->type == TASKDUMP_STRUCT_INODE)
			tell(t, OBJECT_MODE, t->of, value);
		return true;
	}
	return take_lock(t, text) || take_embedded(t, text);
}

/* "NODENAME: hpc-01" of `sys`. */
static bool take_node(struct taskdump *t, struct slice text)
{
	struct slice name;

	if (!text_begins(text, "NODENAME: "))
		return false;
	name = text_trim(text_after(text, 10));
	if (name.len && name.len <= TASKDUMP_NAME_BYTES_MAX)
		t->ops->host(t->context, name);
	return true;
}

/* Rows of a stack's memory without objects, and registers: known, and of no use. */
static bool take_memory(const struct taskdump *t, struct slice text)
{
	uint64_t address;
	size_t len = stack_address_parse(text, &address);

	if (!t->now.open || t->now.form != TASKDUMP_CRASH)
		return false;
	return (len && len < text.len && text.ptr[len] == ':') || taskdump_is_log_trimming(text);
}

bool taskdump_take_crash(struct taskdump *t, struct slice text)
{
	text = text_trim(text);
	return take_prompt(t, text) || take_bt_head(t, text) || take_objects(t, text) ||
	       take_struct(t, text, false) || take_drgn_struct(t, text) || take_field(t, text) ||
	       take_node(t, text) || take_memory(t, text);
}

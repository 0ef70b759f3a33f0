// kernel/vfs/walk.h — the state of one path walk; shared by namei.c and open.c.
#pragma once

#include "kernel/vfs/namei.h"

enum last_type { LAST_NORM, LAST_DOT, LAST_DOTDOT, LAST_ROOT };

// One entry serves twice: rest[] is the stack of what remains behind nested links; held and to_free belong to the nth link followed.
struct walk_link {
    const char *rest;
    struct dentry *held;
    char *to_free;
};
#define WALK_LINKS_EMBEDDED 4u

struct walk {
    struct path path;        // where we are: references unless rcu
    struct inode *inode;     // of path.dentry
    struct path root;
    struct qstr last;
    enum last_type last_type;
    uint32_t seq, mount_seq, root_seq;
    unsigned flags;          // LOOKUP_*
    bool rcu, root_set, jumped;
    unsigned nr_links;
    const char *text;        // the link to be followed next
    struct walk_link *links;
    struct walk_link embedded[WALK_LINKS_EMBEDDED];
};

#define LOOKUP_SCOPED (LOOKUP_BENEATH | LOOKUP_IN_ROOT)

// Starts at the directory or root; text to walk in *s. -ECHILD anywhere under RCU: begin again without.
int walk_begin(struct walk *w, int dirfd, const struct pathname *name, unsigned flags, bool rcu, const char **s);
// Walks all components of `s` but the last, which it leaves in w->last.
int walk_parents(struct walk *w, const char *s);
// Takes the last component. 0: arrived; 1: at a link whose text w->text is to be walked next.
int walk_last(struct walk *w);
// From the beginning to the end of the last link's text. In RCU mode w->seq and mount_seq are still to be checked (walk_complete() does).
int walk_all(struct walk *w, const char *s);
// Leaves RCU mode with references on where we are.
int walk_unlazy(struct walk *w);
// The same at the end of a walk, when no link's text is needed any more.
int walk_complete(struct walk *w);
// 0 if the walk, which has references, stands below the root that openat2(2) set it. -EAGAIN: ".." in a tree that was being moved has led out of it.
[[nodiscard]] int walk_confined(const struct walk *w);
// Drops everything the walk still holds.
void walk_end(struct walk *w);
// w->root, which ".." must not leave, is known after the first; the second goes there.
void walk_need_root(struct walk *w);
void walk_go_to_root(struct walk *w);
// At a link `d` in w->path's directory. 1: w->text is to be walked from there. 0: jumped. The reference on d (none under RCU) is consumed.
int walk_follow_link(struct walk *w, struct dentry *d, struct inode *inode, bool is_last);
// (w->path's directory, dentry of the last component with a reference) -> steps there. Consumes the reference.
int walk_step_to(struct walk *w, struct dentry *d, bool is_last);
bool walk_last_has_slash(const struct walk *w); // behind the last component's name

// The entry of `name` in dir with a reference, from the cache or the file system; dir's inode locked for write. Null: *err.
struct dentry *lookup_locked(struct dentry *dir, const struct qstr *name, unsigned flags, int *err);

// The parent directory of `name` with references, and the last component (it points into the name or a link's text that *keep holds).
struct parent_walk {
    struct walk w;
    struct path parent;
    struct qstr last;
    enum last_type type;
    bool trailing_slash;
};
// Any errno of path_resolution(7); 0 is followed by parent_done().
[[nodiscard]] int parent_lookup(int dirfd, const struct pathname *name, unsigned flags, struct parent_walk *pw);
void parent_done(struct parent_walk *pw);

// May the current credentials make or remove this entry? `dir` is locked for write. -EEXIST, -ENOENT (also: `dir` is removed), -EACCES,
// -EPERM, -EROFS; removing also -ENOTDIR, -EISDIR, -EBUSY.
int may_create(struct inode *dir, struct dentry *child);
int may_delete(struct inode *dir, struct dentry *victim, bool is_dir);
int open_inode_file(const struct path *path, unsigned flags, struct file **out); // no permission checks

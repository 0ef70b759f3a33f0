// kernel/proc/exec_caps.c — identities and capabilities of a program that is executed: capabilities(7) "Transformation of capabilities during execve()",
// execve(2) on set-user-id files.
//
// A file's capabilities are its attribute security.capability. The kernel's checks for it (xattr.c) let only well-formed values be set, but a file
// system may bring another's: what can not be understood fails the exec, as it would run with less than its author meant.

#include "kernel/abi/capability.h"
#include "kernel/abi/personality.h"
#include "kernel/abi/resource.h"
#include "kernel/base/string.h"
#include "kernel/proc/exec.h"
#include "kernel/proc/internal.h"
#include "kernel/vfs/dcache.h"
#include "kernel/vfs/file.h"
#include "kernel/vfs/fs_context.h"
#include "kernel/vfs/mount.h"

struct file_caps {
    uint64_t permitted, inheritable;
    bool present, effective; // effective: for programs that know nothing of capabilities. All or nothing
};

static int read_caps(struct inode *inode, struct file_caps *caps)
{
    struct abi_vfs_cap_data data = {};
    if (likely(!(inode->flags & I_FILE_CAPS)) || !inode->ops || !inode->ops->getxattr)
        return 0;
    ssize_t size = inode->ops->getxattr(inode, XATTR_SECURITY_CAPABILITY, &data, sizeof data);
    if (size == -ENODATA || size == -EOPNOTSUPP)
        return 0;
    if (size < 0)
        return size == -ERANGE ? -EINVAL : (int)size;
    uint32_t revision = data.magic & VFS_CAP_REVISION_MASK;
    if ((size_t)size < sizeof data.magic || (size_t)size != vfs_cap_size(revision))
        return -EINVAL;
    if (revision == VFS_CAP_REVISION_3 && data.rootid != 0)
        return 0; // another user namespace's
    const uint64_t known = (2ul << CAP_LAST) - 1;
    bool wide = revision != VFS_CAP_REVISION_1;
    caps->permitted = (data.data[0].permitted | (wide ? (uint64_t)data.data[1].permitted << 32 : 0)) & known;
    caps->inheritable = (data.data[0].inheritable | (wide ? (uint64_t)data.data[1].inheritable << 32 : 0)) & known;
    caps->effective = data.magic & VFS_CAP_FLAGS_EFFECTIVE;
    caps->present = true;
    return 0;
}

// Who the caller's identity may become by the file's set-id bits. They and the owner are those of one moment: chown(2) changes all of them.
static void set_ids(struct binary *bin, struct cred *new, struct inode *inode)
{
    if (likely(!(READ_ONCE(inode->mode) & (S_ISUID | S_ISGID))))
        return;
    read_guard(&inode->sem);
    if (inode_permission(inode, MAY_EXEC))
        return; // the program may not be run any more: what it has become in the meantime is not for the caller
    umode_t mode = inode->mode;
    if (mode & S_ISUID) {
        new->euid = inode->uid;
        bin->personality_clear |= PER_CLEAR_ON_SETID;
    }
    if ((mode & (S_ISGID | 0010)) == (S_ISGID | 0010)) {
        new->egid = inode->gid;
        bin->personality_clear |= PER_CLEAR_ON_SETID;
    }
}

// Root's programs behave as if all capabilities were written on the file. Whether the effective bit is set, too.
static bool as_root(struct cred *new, const struct cred *old, bool has_file_caps)
{
    if (new->securebits & SECBIT_NOROOT)
        return false;
    if (has_file_caps && new->uid != 0 && new->euid == 0)
        return false; // set-user-id root and capabilities on one file: a user gets the latter only
    if (new->uid == 0 || new->euid == 0)
        new->cap_permitted = old->cap_bounding | old->cap_inheritable;
    return new->euid == 0;
}

int exec_prepare_cred(struct binary *bin)
{
    const struct cred *old = current_cred();
    struct cred *new = cred_prepare();
    if (!new)
        return -ENOMEM;
    bin->cred = new;
    struct inode *inode = bin->file->inode;
    const struct task *task = current_task();
    bool privileged = !(bin->file->path.mnt->flags & MNT_NOSUID) && !(inode->sb->flags & SB_NOSUID);
    if (privileged && !task->no_new_privs)
        set_ids(bin, new, inode);

    struct file_caps file = {};
    int err = privileged ? read_caps(inode, &file) : 0;
    if (err)
        return err;
    new->cap_permitted = (file.permitted & old->cap_bounding) | (file.inheritable & old->cap_inheritable);
    if (file.effective && file.permitted & ~new->cap_permitted)
        return -EPERM; // it could not know that it has less than it needs
    bin->has_caps = file.present;
    bin->effective = as_root(new, old, file.present) || file.effective;
    if (new->cap_permitted & ~old->cap_permitted)
        bin->personality_clear |= PER_CLEAR_ON_SETID;
    return 0;
}

void exec_settle_cred(struct binary *bin)
{
    const struct cred *old = current_cred();
    struct cred *new = bin->cred;
    const struct task *task = current_task();
    bool gained = new->cap_permitted & ~old->cap_permitted;
    bool set_id = new->euid != old->uid || new->egid != old->gid;
    // A process that shares the working directory and the root (CLONE_FS) could lead a program astray which trusts them.
    bool shared = atomic_read(&task->fs->users) > 1;
    if ((set_id || gained) && (task->no_new_privs || shared)) {
        if (task->no_new_privs || !cred_capable(old, CAP_SETUID)) {
            new->euid = new->uid;
            new->egid = new->gid;
        }
        new->cap_permitted &= old->cap_permitted;
    }
    new->suid = new->fsuid = new->euid;
    new->sgid = new->fsgid = new->egid;
    if (bin->has_caps || set_id)
        new->cap_ambient = 0;
    new->cap_permitted |= new->cap_ambient;
    new->cap_effective = bin->effective ? new->cap_permitted : new->cap_ambient;
    new->securebits &= ~SECBIT_KEEP_CAPS;
    bin->secure = set_id || (new->uid != 0 && (bin->effective || new->cap_permitted & ~new->cap_ambient));
}

// kernel/vfs/permission.c — who may do what to an inode: path_resolution(7), capabilities(7), chmod(2), chown(2), utimensat(2).
#include "kernel/proc/cred.h"
#include "kernel/proc/rlimit.h"
#include "kernel/proc/signal.h"
#include "kernel/proc/task.h"
#include "kernel/vfs/acl.h"
#include "kernel/vfs/dcache.h"
#include "kernel/vfs/inotify.h"

static ALWAYS_INLINE int permission_of(const struct cred *cred, struct inode *inode, unsigned mask)
{
    umode_t mode = READ_ONCE(inode->mode);
    mask &= MAY_READ | MAY_WRITE | MAY_EXEC;
    unsigned allowed = mode;
    int acl;
    if (cred->fsuid == inode->uid)
        allowed >>= 6;
    else if (unlikely(inode->flags & I_ACL) && mode & 070 && (acl = acl_permission(inode, mask)) != -EAGAIN)
        allowed = acl ? 0 : 7;
    else if (((mode >> 3 ^ mode) & mask) && in_group(cred, inode->gid))
        allowed >>= 3;
    if (likely((mask & ~allowed) == 0))
        return 0;
    if (S_ISDIR(mode)) {
        if (!(mask & MAY_WRITE) && cred_capable(cred, CAP_DAC_READ_SEARCH))
            return 0;
        return cred_capable(cred, CAP_DAC_OVERRIDE) ? 0 : -EACCES;
    }
    if (mask == MAY_READ && cred_capable(cred, CAP_DAC_READ_SEARCH))
        return 0;
    if ((!(mask & MAY_EXEC) || mode & 0111) && cred_capable(cred, CAP_DAC_OVERRIDE))
        return 0;
    return -EACCES;
}

int generic_permission(struct inode *inode, unsigned mask)
{
    return permission_of(current_cred(), inode, mask);
}

static int writable(const struct inode *inode)
{
    if (inode->sb->flags & SB_RDONLY && (S_ISREG(inode->mode) || S_ISDIR(inode->mode) || S_ISLNK(inode->mode)))
        return -EROFS;
    return inode->flags & I_IMMUTABLE ? -EPERM : 0;
}

int inode_permission_of(const struct cred *cred, struct inode *inode, unsigned mask)
{
    int err = mask & MAY_WRITE ? writable(inode) : 0;
    return err ? err : permission_of(cred, inode, mask);
}

int inode_permission(struct inode *inode, unsigned mask)
{
    int err = unlikely(mask & MAY_WRITE) ? writable(inode) : 0;
    if (err)
        return err;
    return inode->ops && inode->ops->permission ? inode->ops->permission(inode, mask) : generic_permission(inode, mask);
}

bool inode_owner_or_capable(const struct inode *inode)
{
    return current_cred()->fsuid == inode->uid || capable(CAP_FOWNER);
}

// RLIMIT_FSIZE and the file system's limit. Exceeding the former raises SIGXFSZ.
int inode_new_size_ok(struct inode *inode, loff_t size)
{
    if (size > inode_size(inode)) {
        if ((uint64_t)size > rlimit(RLIMIT_FSIZE)) {
            if (current_task())
                signal_send_thread(current_task(), SIGXFSZ, nullptr);
            return -EFBIG;
        }
        if (size > inode->sb->max_bytes)
            return -EFBIG;
    }
    return 0;
}

int setattr_prepare(struct dentry *dentry, struct iattr *attr)
{
    struct inode *inode = dentry->inode;
    const struct cred *cred = current_cred();
    unsigned valid = attr->valid;
    if (valid & ATTR_SIZE) {
        int err = inode_new_size_ok(inode, attr->size);
        if (err)
            return err;
    }
    if (valid & ATTR_UID && !(cred->fsuid == inode->uid && attr->uid == inode->uid) && !capable(CAP_CHOWN))
        return -EPERM;
    if (valid & ATTR_GID && !(cred->fsuid == inode->uid && (attr->gid == inode->gid || in_group(cred, attr->gid))) && !capable(CAP_CHOWN))
        return -EPERM;
    if (valid & ATTR_MODE) {
        if (!inode_owner_or_capable(inode))
            return -EPERM;
        gid_t gid = valid & ATTR_GID ? attr->gid : inode->gid;
        if (!in_group(cred, gid) && !capable(CAP_FSETID))
            attr->mode &= ~S_ISGID;
    }
    if (valid & (ATTR_ATIME_SET | ATTR_MTIME_SET) && !inode_owner_or_capable(inode))
        return -EPERM;
    return 0;
}

void setattr_copy(struct inode *inode, const struct iattr *attr)
{
    if (attr->valid & ATTR_UID)
        inode->uid = attr->uid;
    if (attr->valid & ATTR_GID)
        inode->gid = attr->gid;
    if (attr->valid & ATTR_MODE) {
        inode->mode = (inode->mode & S_IFMT) | (attr->mode & 07777);
        acl_chmod(inode);
    }
    if (attr->valid & ATTR_KILL_SUID)
        inode->mode &= ~S_ISUID;
    if (attr->valid & ATTR_KILL_SGID)
        inode->mode &= ~S_ISGID;
    if (attr->valid & ATTR_ATIME)
        inode->atime = attr->atime;
    if (attr->valid & ATTR_MTIME)
        inode->mtime = attr->mtime;
    if (attr->valid)
        inode->ctime = clock_now_ts();
}

// chown(2): even root's takes set-id bits from what is not a directory.
static void chown_kills_set_id(const struct inode *inode, struct iattr *attr)
{
    if (!(attr->valid & (ATTR_UID | ATTR_GID)) || S_ISDIR(inode->mode))
        return;
    if (inode->mode & S_ISUID)
        attr->valid |= ATTR_KILL_SUID;
    if (inode->mode & S_ISGID && (inode->mode & 010 || !(in_group(current_cred(), inode->gid) || capable(CAP_FSETID))))
        attr->valid |= ATTR_KILL_SGID;
    if (inode->flags & I_FILE_CAPS)
        attr->valid |= ATTR_KILL_CAPS;
}

static int set_attributes(struct dentry *dentry, struct iattr *attr)
{
    struct inode *inode = dentry->inode;
    if (inode->flags & (I_IMMUTABLE | I_APPEND) && attr->valid & (ATTR_MODE | ATTR_UID | ATTR_GID | ATTR_ATIME_SET | ATTR_MTIME_SET))
        return -EPERM;
    // "now" for both needs write permission where one is not the owner: utimensat(2).
    if (attr->valid & (ATTR_ATIME | ATTR_MTIME) && !(attr->valid & (ATTR_ATIME_SET | ATTR_MTIME_SET)) && !(attr->valid & ATTR_SIZE) &&
        !inode_owner_or_capable(inode)) {
        int err = inode->flags & I_IMMUTABLE ? -EACCES : inode_permission(inode, MAY_WRITE);
        if (err)
            return err;
    }
    chown_kills_set_id(inode, attr);
    if (attr->valid & ATTR_SIZE)
        attr->valid |= inode_privileges_to_kill(inode);
    if (inode->ops && inode->ops->setattr)
        return inode->ops->setattr(dentry, attr);
    int err = setattr_prepare(dentry, attr);
    if (err)
        return err;
    if (attr->valid & ATTR_SIZE)
        return -EINVAL; // a file system with content has its own setattr
    setattr_copy(inode, attr);
    return 0;
}

int setattr_locked(struct dentry *dentry, struct iattr *attr)
{
    int err = set_attributes(dentry, attr);
    if (!err && unlikely(attr->valid & ATTR_KILL_CAPS))
        err = inode_drop_file_caps(dentry->inode);
    if (!err)
        inotify_setattr(dentry, attr->valid);
    return err;
}

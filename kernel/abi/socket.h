// kernel/abi/socket.h — sockets as user space sees them: socket(2), send(2), recv(2), unix(7), socket(7).
#pragma once

#include "kernel/base/types.h"

enum { AF_UNSPEC = 0, AF_UNIX = 1, AF_INET = 2, AF_INET6 = 10, AF_NETLINK = 16, AF_MAX = 46 };
enum { SOCK_STREAM = 1, SOCK_DGRAM = 2, SOCK_RAW = 3, SOCK_RDM = 4, SOCK_SEQPACKET = 5 };
#define SOCK_TYPE_MASK 0xf
#define SOCK_CLOEXEC 02000000
#define SOCK_NONBLOCK 04000

enum { SHUT_RD, SHUT_WR, SHUT_RDWR };
#define SOMAXCONN 4096

#define MSG_OOB 0x1u
#define MSG_PEEK 0x2u
#define MSG_DONTROUTE 0x4u
#define MSG_CTRUNC 0x8u
#define MSG_TRUNC 0x20u
#define MSG_DONTWAIT 0x40u
#define MSG_EOR 0x80u
#define MSG_WAITALL 0x100u
#define MSG_CONFIRM 0x800u
#define MSG_ERRQUEUE 0x2000u
#define MSG_NOSIGNAL 0x4000u
#define MSG_MORE 0x8000u
#define MSG_WAITFORONE 0x10000u
#define MSG_CMSG_CLOEXEC 0x40000000u

#define SOL_SOCKET 1
enum {
    SO_DEBUG = 1, SO_REUSEADDR = 2, SO_TYPE = 3, SO_ERROR = 4, SO_DONTROUTE = 5, SO_BROADCAST = 6, SO_SNDBUF = 7, SO_RCVBUF = 8, SO_KEEPALIVE = 9,
    SO_OOBINLINE = 10, SO_PRIORITY = 12, SO_LINGER = 13, SO_REUSEPORT = 15, SO_PASSCRED = 16, SO_PEERCRED = 17, SO_RCVLOWAT = 18, SO_SNDLOWAT = 19,
    SO_RCVTIMEO = 20, SO_SNDTIMEO = 21, SO_TIMESTAMP = 29, SO_ACCEPTCONN = 30, SO_PEERSEC = 31, SO_SNDBUFFORCE = 32, SO_RCVBUFFORCE = 33,
    SO_PASSSEC = 34, SO_PROTOCOL = 38, SO_DOMAIN = 39, SO_PEERGROUPS = 59, SO_PEERPIDFD = 77,
};
enum { SCM_RIGHTS = 1, SCM_CREDENTIALS = 2 };
#define SCM_MAX_FD 253

struct abi_sockaddr_un {
    uint16_t family;
    char path[108];
};
static_assert(sizeof(struct abi_sockaddr_un) == 110);
#define SOCKADDR_MAX 128 // sizeof(struct sockaddr_storage)

struct abi_msghdr {
    unsigned long name;
    int namelen;
    int pad1_;
    unsigned long iov;
    size_t iovlen;
    unsigned long control;
    size_t controllen;
    unsigned flags;
    int pad2_;
};
static_assert(sizeof(struct abi_msghdr) == 56);

struct abi_mmsghdr {
    struct abi_msghdr hdr;
    unsigned len;
    int pad_;
};
static_assert(sizeof(struct abi_mmsghdr) == 64);

struct abi_cmsghdr {
    size_t len; // with this header
    int level, type;
};
#define CMSG_ALIGN(n) ALIGN_UP((n), sizeof(size_t))

struct abi_ucred {
    pid_t pid;
    uid_t uid;
    gid_t gid;
};

struct abi_linger {
    int onoff, linger;
};

#define SIOCINQ 0x541bu
#define SIOCOUTQ 0x5411u

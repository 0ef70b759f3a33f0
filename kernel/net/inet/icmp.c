// kernel/net/inet/icmp.c — ICMP: echo is answered, errors are sent and heard. RFC 792, RFC 1122 section 3.2.2. icmp(7).

#include "kernel/base/string.h"
#include "kernel/net/inet/ip.h"

static void reply(struct packet *p, uint32_t src, uint32_t dst)
{
    struct route route;
    struct icmp_header *icmp = packet_transport(p);
    if (route_lookup(dst, &route)) {
        packet_free(p);
        return;
    }
    icmp->checksum = 0;
    icmp->checksum = ip_checksum(icmp, packet_transport_len(p));
    struct ip_params params = {.src = src ? src : route.src, .dst = dst, .protocol = IPPROTO_ICMP, .ttl = (uint8_t)sysctl_ip_default_ttl};
    (void)ip_send(p, &route, &params); // nobody waits for the outcome
}

static void echo(struct packet *p)
{
    const struct ip_header *ip = packet_ip(p);
    struct packet *answer = route_is_broadcast(ip->dst) ? nullptr : packet_alloc(packet_transport_len(p));
    if (!answer)
        return;
    memcpy(packet_transport(answer), packet_transport(p), packet_transport_len(p));
    ((struct icmp_header *)packet_transport(answer))->type = ICMP_ECHOREPLY;
    reply(answer, ip->dst, ip->src);
}

void icmp_send_error(const struct packet *about, uint8_t type, uint8_t code)
{
    const struct ip_header *ip = (const struct ip_header *)about->data;
    const struct icmp_header *icmp = (const struct icmp_header *)(about->data + about->transport);
    if (route_is_broadcast(ip->dst) || !ip->src)
        return;
    if (ip->protocol == IPPROTO_ICMP && icmp->type != ICMP_ECHO && icmp->type != ICMP_ECHOREPLY)
        return;
    size_t quoted = min(about->len, 576 - sizeof *ip - sizeof *icmp); // RFC 1812: as much as fits into 576 bytes
    struct packet *p = packet_alloc(sizeof *icmp + quoted);
    if (!p)
        return;
    struct icmp_header *h = packet_transport(p);
    *h = (struct icmp_header){.type = type, .code = code};
    memcpy(h + 1, about->data, quoted);
    reply(p, ip->dst, ip->src);
}

// Codes of "destination unreachable" as errors, and whether they are final: RFC 1122, 4.2.3.9; Linux's numbers.
static const struct {
    int err;
    bool hard;
} unreachable[] = {
    [ICMP_NET_UNREACH] = {-ENETUNREACH, false},
    [ICMP_HOST_UNREACH] = {-EHOSTUNREACH, false},
    [ICMP_PROT_UNREACH] = {-ENOPROTOOPT, true},
    [ICMP_PORT_UNREACH] = {-ECONNREFUSED, true},
    [ICMP_FRAG_NEEDED] = {-EMSGSIZE, false},
};

static void heard_error(struct packet *p)
{
    const struct icmp_header *icmp = packet_transport(p);
    const struct ip_header *quoted = (const void *)(icmp + 1);
    size_t len = packet_transport_len(p) - sizeof *icmp;
    if (icmp->code >= ARRAY_SIZE(unreachable) || len < sizeof *quoted)
        return;
    size_t header = (quoted->version_ihl & 15) * 4u;
    if (header < sizeof *quoted || len < header + 8)
        return;
    const void *transport = (const uint8_t *)quoted + header;
    int err = unreachable[icmp->code].err;
    bool hard = unreachable[icmp->code].hard;
    raw_error(quoted, err, hard);
    if (quoted->protocol == IPPROTO_UDP)
        udp_error(quoted, transport, err, hard);
    else if (quoted->protocol == IPPROTO_ICMP)
        ping_error(quoted, transport, err, hard);
}

void icmp_receive(struct packet *p)
{
    const struct icmp_header *icmp = packet_transport(p);
    if (packet_transport_len(p) < sizeof *icmp || ip_checksum(icmp, packet_transport_len(p))) {
        atomic_inc(&p->dev->rx.errors);
    } else if (icmp->type == ICMP_ECHOREPLY) {
        ping_receive(p);
        return;
    } else if (icmp->type == ICMP_ECHO) {
        echo(p);
    } else if (icmp->type == ICMP_DEST_UNREACH) {
        heard_error(p);
    }
    packet_free(p);
}

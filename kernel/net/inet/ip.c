// kernel/net/inet/ip.c — IPv4: packets, sending, receiving.

#include "kernel/net/inet/ip.h"

#include "kernel/base/string.h"
#include "kernel/mm/slab.h"

int sysctl_ip_default_ttl = IP_DEFAULT_TTL;
static uint16_t next_id;

struct packet *packet_alloc(size_t len)
{
    size_t room = sizeof(struct packet) + sizeof(struct ip_header) + len;
    struct packet *p = kvmalloc(room, ALLOC_KERNEL);
    if (!p)
        return nullptr;
    *p = (struct packet){.len = sizeof(struct ip_header) + len, .transport = sizeof(struct ip_header), .charge = ALIGN_UP(room, 256ul)};
    return p;
}

struct packet *packet_copy(const struct packet *p)
{
    struct packet *copy = packet_alloc(p->len - sizeof(struct ip_header));
    if (copy) {
        copy->dev = p->dev;
        copy->transport = p->transport;
        memcpy(copy->data, p->data, p->len);
    }
    return copy;
}

void packet_free(struct packet *p)
{
    kvfree(p);
}

uint16_t ip_checksum(const void *data, size_t len)
{
    const uint8_t *bytes = data;
    uint64_t sum = 0;
    for (; len > 1; bytes += 2, len -= 2)
        sum += (uint64_t)(bytes[0] | bytes[1] << 8);
    if (len)
        sum += bytes[0];
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

int ip_send(struct packet *p, const struct route *route, const struct ip_params *params)
{
    struct ip_header *ip = packet_ip(p);
    if (p->len > READ_ONCE(route->dev->mtu) || p->len > UINT16_MAX) {
        packet_free(p);
        return -EMSGSIZE;
    }
    if (!p->hdrincl) {
        uint16_t id = params->dont_fragment ? 0 : __atomic_add_fetch(&next_id, 1, __ATOMIC_RELAXED);
        *ip = (struct ip_header){.version_ihl = 0x45, .tos = params->tos, .id = HTONS(id), .fragment = params->dont_fragment ? HTONS(IP_DF) : 0,
                                 .ttl = params->ttl, .protocol = params->protocol, .src = params->src, .dst = params->dst};
    }
    ip->total = HTONS(p->len);
    ip->checksum = 0;
    ip->checksum = ip_checksum(ip, (ip->version_ihl & 15) * 4u);
    return netdev_transmit(route->dev, p);
}

// Whether the header makes sense; what is behind the datagram's end is cut off.
static bool header_ok(struct packet *p)
{
    struct ip_header *ip = packet_ip(p);
    if (p->len < sizeof *ip || ip->version_ihl >> 4 != 4)
        return false;
    size_t header = (ip->version_ihl & 15) * 4u, total = NTOHS(ip->total);
    if (header < sizeof *ip || total < header || total > p->len || ip_checksum(ip, header))
        return false;
    p->len = total;
    p->transport = header;
    return !(NTOHS(ip->fragment) & (IP_MF | IP_OFFSET_MASK));
}

void ip_receive(struct packet *p)
{
    struct ip_header *ip = packet_ip(p);
    struct route route;
    if (!header_ok(p)) {
        atomic_inc(&p->dev->rx.errors);
        packet_free(p);
        return;
    }
    if (route_lookup(ip->dst, &route)) { // not ours, and we do not forward
        atomic_inc(&p->dev->rx.dropped);
        packet_free(p);
        return;
    }
    bool taken = raw_receive(p);
    if (ip->protocol == IPPROTO_UDP)
        udp_receive(p);
    else if (ip->protocol == IPPROTO_ICMP)
        icmp_receive(p);
    else {
        if (!taken)
            icmp_send_error(p, ICMP_DEST_UNREACH, ICMP_PROT_UNREACH);
        packet_free(p);
    }
}

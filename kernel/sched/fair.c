// kernel/sched/fair.c — the fair class: earliest eligible virtual deadline first (EEVDF; Stoica and Abdel-Wahab, 1995).
//
// Each thread has a weight (from nice) and a virtual clock, vruntime, that runs while it runs, slower for heavier threads. The queue's
// virtual time V is the average of all clocks, weighted. A thread whose clock is behind V was given less than its share; it is *eligible*.
// A thread asks for turns of `slice` ns; a turn that begins at virtual time v has its deadline at v + slice / weight. Among the eligible
// threads the one with the earliest deadline runs. So everybody gets its share, and who asks for short turns gets them soon.
//
// Lag is V - vruntime: what is owed. It is kept while a thread sleeps (within bounds) and restored when it comes back: sleeping neither
// wins nor loses anything.
//
// Data: the waiting threads are in a red-black tree by deadline; each node knows the least vruntime below it, so that the search finds in
// logarithmic time the earliest deadline among eligible ones. V is kept as sums over the tree, relative to min_vruntime:
//     V = min_vruntime + key_sum / weight_sum;    v eligible  <=>  (v - min_vruntime) * weight_sum <= key_sum
// The running thread is not in the tree, its clock changes all the time; its part is added on the fly.
// All under the run queue's lock.

#include "kernel/base/assert.h"
#include "kernel/sched/run_queue.h"

// Weight by nice: 1024 * 1.25^-nice. One step of nice is about a tenth of the CPU between two busy threads.
static const uint32_t nice_weight[40] = {
    88818, 71054, 56843, 45475, 36380, 29104, 23283, 18626, 14901, 11921, // -20 .. -11
    9537,  7629,  6104,  4883,  3906,  3125,  2500,  2000,  1600,  1280,  // -10 .. -1
    1024,  819,   655,   524,   419,   336,   268,   215,   172,   137,   //   0 .. 9
    110,   88,    70,    56,    45,    36,    29,    23,    18,    15,    //  10 .. 19
};
#define IDLE_POLICY_WEIGHT 3u

static struct thread *node_thread(struct rb_node *node)
{
    return rb_entry(node, struct thread, se.node);
}

static bool before(uint64_t a, uint64_t b)
{
    return (int64_t)(a - b) < 0;
}

static uint64_t to_virtual(uint64_t ns, uint32_t weight)
{
    return weight == NICE_0_WEIGHT ? ns : ns * NICE_0_WEIGHT / weight;
}

static uint64_t slice_of(const struct thread *t)
{
    return t->se.slice ? t->se.slice : (uint64_t)SCHED_SLICE_DEFAULT;
}

static int64_t key_of(const struct fair_queue *fq, const struct thread *t)
{
    return (int64_t)(t->se.vruntime - fq->min_vruntime);
}

// The running thread, if it is a fair one and still competes.
static struct thread *fair_running(const struct run_queue *rq)
{
    struct thread *t = rq->curr;
    return t != rq->idle && t->on_rq && !thread_is_rt(t) ? t : nullptr;
}

// -- the tree -----------------------------------------------------------------------------------------------------------------

static bool augment(struct rb_node *node)
{
    struct thread *t = node_thread(node);
    uint64_t least = t->se.vruntime;
    if (node->left && before(node_thread(node->left)->se.min_vruntime, least))
        least = node_thread(node->left)->se.min_vruntime;
    if (node->right && before(node_thread(node->right)->se.min_vruntime, least))
        least = node_thread(node->right)->se.min_vruntime;
    bool changed = t->se.min_vruntime != least;
    t->se.min_vruntime = least;
    return changed;
}

static void tree_add(struct fair_queue *fq, struct thread *t)
{
    struct rb_node **link = &fq->tree.root.node, *parent = nullptr;
    bool leftmost = true;
    while (*link) {
        parent = *link;
        if (before(t->se.deadline, node_thread(parent)->se.deadline)) {
            link = &parent->left;
        } else {
            link = &parent->right;
            leftmost = false;
        }
    }
    t->se.min_vruntime = t->se.vruntime;
    rb_link_node(&t->se.node, parent, link);
    rb_insert_cached(&fq->tree, &t->se.node, leftmost, augment);
    fq->key_sum += key_of(fq, t) * t->se.weight;
    fq->weight_sum += t->se.weight;
    fq->nr++;
}

static void tree_remove(struct fair_queue *fq, struct thread *t)
{
    rb_erase_cached(&fq->tree, &t->se.node, augment);
    fq->key_sum -= key_of(fq, t) * t->se.weight;
    fq->weight_sum -= t->se.weight;
    fq->nr--;
}

// Moves the base of the keys up to the least vruntime there is, so that they stay small.
static void advance_base(struct run_queue *rq)
{
    struct fair_queue *fq = &rq->fair;
    struct thread *running = fair_running(rq);
    struct rb_node *root = fq->tree.root.node;
    uint64_t least;
    if (root && running)
        least = before(running->se.vruntime, node_thread(root)->se.min_vruntime) ? running->se.vruntime : node_thread(root)->se.min_vruntime;
    else if (root)
        least = node_thread(root)->se.min_vruntime;
    else if (running)
        least = running->se.vruntime;
    else
        return;
    int64_t delta = (int64_t)(least - fq->min_vruntime);
    if (delta > 0) {
        fq->key_sum -= delta * (int64_t)fq->weight_sum;
        fq->min_vruntime = least;
    }
}

// -- virtual time -------------------------------------------------------------------------------------------------------------

static void sums(const struct run_queue *rq, int64_t *key_sum, int64_t *weight_sum)
{
    *key_sum = rq->fair.key_sum;
    *weight_sum = (int64_t)rq->fair.weight_sum;
    struct thread *running = fair_running(rq);
    if (running) {
        *key_sum += key_of(&rq->fair, running) * running->se.weight;
        *weight_sum += running->se.weight;
    }
}

static uint64_t virtual_time(const struct run_queue *rq)
{
    int64_t key_sum, weight_sum;
    sums(rq, &key_sum, &weight_sum);
    if (!weight_sum)
        return rq->fair.min_vruntime;
    if (key_sum < 0)
        key_sum -= weight_sum - 1; // round down
    return rq->fair.min_vruntime + (uint64_t)(key_sum / weight_sum);
}

static bool eligible(const struct fair_queue *fq, uint64_t vruntime, int64_t key_sum, int64_t weight_sum)
{
    return (int64_t)(vruntime - fq->min_vruntime) * weight_sum <= key_sum;
}

static int64_t bounded_lag(const struct thread *t, int64_t lag)
{
    int64_t limit = (int64_t)to_virtual(max(2 * slice_of(t), (uint64_t)SCHED_TICK), t->se.weight);
    return clamp(lag, -limit, limit);
}

// A thread comes to the queue: its clock is set so that its lag is what it was. Adding it pulls V towards its own clock; what was lag `l`
// before would be l * W / (W + w) after, so it is stretched first.
static void place(struct run_queue *rq, struct thread *t)
{
    int64_t key_sum, weight_sum, lag = t->se.vlag;
    sums(rq, &key_sum, &weight_sum);
    if (weight_sum)
        lag = bounded_lag(t, lag * (weight_sum + t->se.weight) / weight_sum);
    else
        lag = 0;
    t->se.vruntime = virtual_time(rq) - (uint64_t)lag;
    // Those that wait are in the middle of their turns on average; so a new thread's first turn is half of one, and it starts soon.
    uint64_t turn = t->se.sum_exec ? slice_of(t) : slice_of(t) / 2;
    t->se.deadline = t->se.vruntime + to_virtual(turn, t->se.weight);
}

// -- what core.c calls --------------------------------------------------------------------------------------------------------

void fair_reweight(struct run_queue *, struct thread *t)
{
    uint32_t weight = t->params.policy == SCHED_IDLE ? IDLE_POLICY_WEIGHT : nice_weight[t->params.nice + 20];
    if (t->se.weight && t->se.weight != weight)
        t->se.vlag = t->se.vlag * t->se.weight / weight; // the same debt in real ns
    t->se.weight = weight;
}

void fair_init_new(struct thread *t)
{
    t->se.vlag = 0;
    t->se.weight = 0;
    t->se.sum_exec = 0;
    fair_reweight(nullptr, t);
}

// As a waiting thread; core.c has not set on_rq yet.
void fair_enqueue(struct run_queue *rq, struct thread *t)
{
    place(rq, t);
    if (t != rq->curr)
        tree_add(&rq->fair, t);
}

void fair_dequeue(struct run_queue *rq, struct thread *t)
{
    t->se.vlag = bounded_lag(t, (int64_t)(virtual_time(rq) - t->se.vruntime));
    if (t != rq->curr)
        tree_remove(&rq->fair, t);
}

// The running thread used `delta` ns. When its turn is over it asks for the next one, and others get their chance.
void fair_charge(struct run_queue *rq, struct thread *t, uint64_t delta)
{
    t->se.vruntime += to_virtual(delta, t->se.weight);
    if (!before(t->se.vruntime, t->se.deadline)) {
        t->se.deadline = t->se.vruntime + to_virtual(slice_of(t), t->se.weight);
        if (rq->fair.nr)
            rq_resched(rq);
    }
    advance_base(rq);
}

// Looks in subtrees from the left, the earliest deadlines, for the first that has an eligible thread.
static struct thread *first_eligible(struct run_queue *rq)
{
    struct fair_queue *fq = &rq->fair;
    int64_t key_sum, weight_sum;
    sums(rq, &key_sum, &weight_sum);
    struct rb_node *node = fq->tree.root.node;
    while (node) {
        if (node->left && eligible(fq, node_thread(node->left)->se.min_vruntime, key_sum, weight_sum))
            node = node->left;
        else if (eligible(fq, node_thread(node)->se.vruntime, key_sum, weight_sum))
            return node_thread(node);
        else
            node = node->right;
    }
    return nullptr;
}

struct thread *fair_pick(struct run_queue *rq, struct thread *curr)
{
    struct fair_queue *fq = &rq->fair;
    if (!fq->nr)
        return curr;
    if (!curr && fq->nr == 1)
        return node_thread(fq->tree.leftmost);
    struct thread *best = first_eligible(rq);
    if (curr) {
        int64_t key_sum, weight_sum;
        sums(rq, &key_sum, &weight_sum);
        bool curr_eligible = eligible(fq, curr->se.vruntime, key_sum, weight_sum);
        if (!best || (curr_eligible && before(curr->se.deadline, best->se.deadline)))
            return curr;
    }
    // Somebody is never ahead of the average; only rounding can hide it.
    return best ? best : node_thread(fq->tree.leftmost);
}

void fair_set_running(struct run_queue *rq, struct thread *t)
{
    tree_remove(&rq->fair, t);
}

void fair_put_running(struct run_queue *rq, struct thread *t)
{
    tree_add(&rq->fair, t);
}

bool fair_preempts(struct run_queue *rq, struct thread *t, struct thread *curr)
{
    if (curr->params.policy == SCHED_IDLE && t->params.policy != SCHED_IDLE)
        return true;
    if (t->params.policy == SCHED_BATCH || t->params.policy == SCHED_IDLE)
        return false;
    int64_t key_sum, weight_sum;
    sums(rq, &key_sum, &weight_sum);
    return before(t->se.deadline, curr->se.deadline) && eligible(&rq->fair, t->se.vruntime, key_sum, weight_sum);
}

// Gives the rest of the turn away: the deadline moves one turn on. But never more than two turns ahead: the thread is left alone until its
// deadline, and one that had yielded a thousand times could then hold the CPU for seconds against others.
void fair_yield(struct run_queue *rq, struct thread *t)
{
    if (!rq->fair.nr)
        return;
    uint64_t turn = to_virtual(slice_of(t), t->se.weight), latest = t->se.vruntime + 2 * turn;
    t->se.deadline += turn;
    if (before(latest, t->se.deadline))
        t->se.deadline = latest;
}

// -- for balancing ------------------------------------------------------------------------------------------------------------

// The first of up to `tries` threads from `node` on that may move.
static struct thread *look_along(struct fair_queue *fq, struct rb_node *node, unsigned tries, unsigned cpu, uint64_t weight)
{
    for (; node && tries--; node = rb_next(node)) {
        struct thread *t = node_thread(node);
        fq->looked_at = t->se.deadline;
        if (t->se.weight < weight && cpumask_test(cpu, &t->affinity))
            return t;
    }
    return nullptr;
}

static struct rb_node *first_after(const struct fair_queue *fq, uint64_t deadline)
{
    struct rb_node *node = fq->tree.root.node, *found = nullptr;
    while (node) {
        bool later = before(deadline, node_thread(node)->se.deadline);
        if (later)
            found = node;
        node = later ? node->left : node->right;
    }
    return found;
}

// The most urgent first. Where many in front are bound to their CPU, the search goes on behind the last one it looked at, now and the next time.
struct thread *fair_find_movable(struct run_queue *rq, unsigned cpu, uint64_t weight)
{
    const unsigned tries = 16;
    struct fair_queue *fq = &rq->fair;
    uint64_t looked_at = fq->looked_at;
    struct thread *t = look_along(fq, fq->tree.leftmost, tries, cpu, weight);
    if (t || fq->nr <= tries)
        return t;
    if (before(fq->looked_at, looked_at) && first_after(fq, looked_at))
        fq->looked_at = looked_at;
    return look_along(fq, first_after(fq, fq->looked_at), tries, cpu, weight);
}

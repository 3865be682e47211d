"""Runs the workloads of beside-cpython.ts on CPython's objects and collector. Prints milliseconds as JSON lines."""
import gc, json, sys, time

N = int(sys.argv[1])
ROUNDS = int(sys.argv[2])


class Node:
    __slots__ = ('a', 'b')


def permutation(seed):
    """Returns a Fisher-Yates shuffle by a linear congruential generator, with the numbers of graphs.ts."""
    order = list(range(N))
    state = seed
    for i in range(N - 1, 0, -1):
        state = (state * 1103515245 + 12345) & 0x7FFFFFFF
        j = state % (i + 1)
        order[i], order[j] = order[j], order[i]
    return order


def graph():
    nodes = [Node() for _ in range(N)]
    for node, first, second in zip(nodes, FIRST, SECOND):
        node.a = nodes[first]
        node.b = nodes[second]
    return nodes


def timed(body):
    start = time.perf_counter()
    body()
    return (time.perf_counter() - start) * 1000


def round_of_all():
    times = {}
    nodes = graph()
    gc.collect()
    times['live'] = timed(gc.collect)
    # A node is tried out of order, so that the scan sends it away and brings it back: the list is reordered.
    keep = nodes[0]
    nodes = None
    gc.collect()
    times['live, one root'] = timed(gc.collect)
    keep = None
    times['garbage, reordered'] = timed(gc.collect)
    nodes = graph()
    nodes = None
    times['garbage, fresh'] = timed(gc.collect)
    for _ in range(N // 2):
        a = Node()
        b = Node()
        a.a = b
        b.a = a
    a = b = None
    times['two-cycles'] = timed(gc.collect)

    def alloc_and_free():
        for _ in range(N):
            Node()

    times['alloc and free'] = timed(alloc_and_free)
    head = Node()
    for _ in range(N):
        node = Node()
        node.a = head
        head = node
    node = None
    start = time.perf_counter()
    head = None
    times['free a chain'] = (time.perf_counter() - start) * 1000
    return times


FIRST = permutation(1)
SECOND = permutation(2)
gc.disable()
gc.collect()
gc.freeze()
for _ in range(ROUNDS):
    print(json.dumps(round_of_all()), flush=True)

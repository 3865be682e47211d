#!/usr/bin/env python3.11
"""Differential oracle: runs heap programs on REAL CPython objects with the REAL gc module.

stdin : one JSON program per line (or one JSON array of programs with --array); the op language is described in docs/design/heap-programs.md
stdout: one JSON observation object per program, same order
flags : --array | --check (cross-check struct reads against gc.get_count() after every op)

The collector's view is made clean by
  * one simulated object  == exactly one GC allocation (list subclass with __slots__);
  * untracking every interpreter-owned object, so gen lists hold simulated objects only and
    registers/garbage/callbacks act as external roots;
  * "pinning" generations[0].count around the oracle's own bookkeeping (read/written via ctypes);
  * keeping the tuple free lists filled so interpreter-internal temp tuples never hit gc_alloc.
"""
import sys, gc, os, json, weakref, ctypes, traceback
gc.disable()
assert sys.implementation.name == 'cpython'
CHECK = '--check' in sys.argv
FREEZE = '--freeze' in sys.argv          # cross-check: hide interpreter objects with gc.freeze() instead of untracking
FZ0 = [0]

# ---------------------------------------------------------------- access to GCState
def locate():
    gc.set_threshold(31337, 4242, 777)
    f = ctypes.pythonapi.PyInterpreterState_Get
    f.restype = ctypes.c_void_p
    base = f()
    for size in (4096, 16384, 65536, 262144):
        try:
            buf = (ctypes.c_int * (size // 4)).from_address(base)
        except ValueError:
            break
        for i in range(0, size // 4 - 40):
            if buf[i] == 31337 and buf[i + 6] == 4242 and buf[i + 12] == 777:
                return base + i * 4
    raise SystemExit('GCState not found')
T0 = locate()                                      # &generations[0].threshold
def ci(a): return ctypes.c_int.from_address(a)
def cz(a): return ctypes.c_ssize_t.from_address(a)
C0, C1, C2 = ci(T0 + 4), ci(T0 + 28), ci(T0 + 52)
# gen[3]x24, generation0 ptr, permanent 24, stats 3x24, collecting int(+pad), garbage, callbacks, total, pending
G = T0 - 16
COLLECTING = ci(G + 72 + 8 + 24 + 72)
GARB, CBS = cz(G + 72 + 8 + 24 + 72 + 8), cz(G + 72 + 8 + 24 + 72 + 16)
LL_TOTAL, LL_PENDING = cz(G + 72 + 8 + 24 + 72 + 24), cz(G + 72 + 8 + 24 + 72 + 32)
assert GARB.value == id(gc.garbage) and CBS.value == id(gc.callbacks), 'GCState layout differs'
NEG = -2000000000

# ---------------------------------------------------------------- simulated object types
class Node(list):
    __slots__ = ('h', 'act', '__weakref__')
class NodeF(list):                                  # sibling, not subclass: same layout
    __slots__ = ('h', 'act', '__weakref__')
    def __del__(self):
        LOG.append('F'); LOG.append(self.h)
        if ENABLED[0]:
            run_action(self.act, self)
class NodeL(list):                                  # legacy (pre-PEP 442) finalizer: tp_del => uncollectable in cycles
    __slots__ = ('h', 'act', '__weakref__')
    def __tp_del__(self):
        LOG.append('L'); LOG.append(self.h)
        if ENABLED[0]:
            run_action(self.act, self)
try:
    from _testcapi import with_tp_del
    NodeL = with_tp_del(NodeL); HAVE_L = True
except ImportError:
    HAVE_L = False                                  # 'newl' then aborts
class WR(weakref.ref):
    __slots__ = ('h', 'act')
KINDS = (Node, NodeF, WR, NodeL)
def wr_callback(wr):
    LOG.append('C'); LOG.append(wr.h)
    if ENABLED[0]:
        run_action(wr.act, wr)

R, LOG, ACTIONS, ENABLED, SERIAL = [], [], [], [True], [0]
MAXW = [8]
getrefcount, getwrcount = sys.getrefcount, weakref.getweakrefcount

def prefill():                                      # call only while pinned
    n = 1
    while n <= 18:
        k = 0
        hold = None
        while k < 24:
            hold = ((hold,) + (None,) * (n - 1))    # chain of n-tuples
            k += 1
        n += 1
    hold = None

def on_gc(phase, info):
    g = info['generation']
    if phase == 'start':
        LOG.append('S'); LOG.append(g)
    else:
        c = C0.value
        if g == 2:
            c -= 1          # the interpreter's own info dict: free lists were just cleared
            C0.value = NEG
            prefill()
        LOG.append('E'); LOG.append(g); LOG.append(info['collected']); LOG.append(info['uncollectable'])
        C0.value = c

def run_action(a, self):
    if a < 0: return
    acts = ACTIONS[a]
    i = 0
    n = len(acts)
    while i < n:
        ex(acts[i], self)
        i += 1

def snap():                                         # pinned
    LOG.append('snap')
    g = 0
    while g < 3:
        objs = gc.get_objects(g)
        LOG.append(len(objs))
        i = 0
        while i < len(objs):
            o = objs[i]
            t = type(o)
            assert t is Node or t is NodeF or t is WR or t is NodeL, ('pollution', t)
            LOG.append(o.h)
            LOG.append(getrefcount(o) - 3)
            LOG.append((1 if gc.is_finalized(o) else 0))
            LOG.append(0 if t is Node else 1 if t is NodeF else 2 if t is WR else 3)
            if t is WR:
                x = o()
                LOG.append(1); LOG.append(-1 if x is None else x.h)
                x = None
            else:
                LOG.append(len(o)); j = 0
                while j < len(o):
                    LOG.append(o[j].h); j += 1
            i += 1
        o = objs = None
        g += 1
    LOG.append(gc.get_freeze_count() - FZ0[0])
    LOG.append(LL_TOTAL.value); LOG.append(LL_PENDING.value)
    i = 0
    while i < len(R):
        x = R[i]
        LOG.append(-1 if x is None else x.h)
        i += 1

def ids(tag, lst):
    LOG.append(tag); LOG.append(len(lst))
    i = 0
    while i < len(lst):
        LOG.append(lst[i].h); i += 1

def ex(op, self=None):
    k = op[0]
    if k == 'new' or k == 'newf' or k == 'newl':
        r = op[1]
        R[r] = None
        h = SERIAL[0]; SERIAL[0] = h + 1
        if k == 'new':
            x = Node()
        elif k == 'newf':
            x = NodeF()
        else:
            if not HAVE_L: raise SystemExit('no _testcapi')
            x = NodeL()
        x.h = h
        x.act = -1 if k == 'new' else op[2]
        R[r] = x
    elif k == 'weak':                               # weak r t act     act: -2 no callback, -1 log only, >=0 action
        t = R[op[2]]
        if t is None or type(t) is WR or getwrcount(t) >= MAXW[0]: return
        r = op[1]
        R[r] = None
        h = SERIAL[0]; SERIAL[0] = h + 1
        x = Node()                                  # the one countable GC allocation
        c = C0.value; C0.value = NEG                # pin: swap it for the weakref object
        x = None
        x = WR(t, wr_callback if op[3] >= -1 else None)
        C0.value = c
        x.h = h; x.act = op[3]
        R[r] = x
        x = None
        t = None
    elif k == 'deref':
        w = R[op[2]]
        if type(w) is not WR: return
        x = w()
        LOG.append('D'); LOG.append(-1 if x is None else x.h)
        R[op[1]] = x
    elif k == 'link':
        a = R[op[1]]
        if a is None or type(a) is WR: return
        b = R[op[2]]
        if b is None: return
        a.append(b)
    elif k == 'set':
        a = R[op[1]]
        if a is None or type(a) is WR: return
        b = R[op[3]]
        if b is None or not a: return
        a[op[2] % len(a)] = b
    elif k == 'unlink':
        a = R[op[1]]
        if not a or type(a) is WR: return
        del a[op[2] % len(a)]
    elif k == 'clear':
        a = R[op[1]]
        if a is None or type(a) is WR: return
        a.clear()
    elif k == 'load':
        a = R[op[2]]
        if not a or type(a) is WR: return
        x = a[op[3] % len(a)]
        R[op[1]] = x
    elif k == 'copy':
        x = R[op[2]]
        R[op[1]] = x
    elif k == 'drop':
        R[op[1]] = None
    elif k == 'churn':                              # allocate n nodes, each freed at once
        i = op[1]
        while i > 0:
            SERIAL[0] += 1
            Node()
            i -= 1
    elif k == 'grow':                               # append n fresh nodes to R[a]
        a = R[op[1]]
        if a is None or type(a) is WR: return
        i = op[2]
        while i > 0:
            h = SERIAL[0]; SERIAL[0] = h + 1
            x = Node()
            x.h = h; x.act = -1
            a.append(x)
            x = None
            i -= 1
    elif k == 'collect':
        n = gc.collect(op[1])
        LOG.append('R'); LOG.append(n)
    elif k == 'enable':
        gc.enable()
    elif k == 'disable':
        gc.disable()
    elif k == 'garbage_clear':
        gc.garbage.clear()
    elif k == 'freeze':
        gc.freeze()
    elif k == 'unfreeze':
        gc.unfreeze()
    # ---- self ops (finalizer / callback actions only)
    elif k == 'self_reg':
        R[op[1]] = self
    elif k == 'self_unreg':                         # null every register holding self
        i = 0
        while i < len(R):
            if R[i] is self: R[i] = None
            i += 1
    elif k == 'self_link':                          # R[a].append(self)
        a = R[op[1]]
        if a is None or type(a) is WR: return
        a.append(self)
    elif k == 'self_add':                           # self.append(R[a])
        b = R[op[1]]
        if b is None or type(self) is WR: return
        self.append(b)
    elif k == 'self_clear':
        if type(self) is WR: return
        self.clear()
    elif k == 'self_load':
        if not self or type(self) is WR: return
        x = self[op[2] % len(self)]
        R[op[1]] = x
    else:
        c = C0.value; C0.value = NEG
        if k == 'threshold':
            gc.set_threshold(op[1], op[2], op[3])
        elif k == 'debug':
            gc.set_debug(op[1])
        elif k == 'snap':
            snap()
        elif k == 'garbage':
            ids('garbage', gc.garbage)
        elif k == 'stats':
            LOG.append('stats')
            for d, b in zip(gc.get_stats(), BASE):
                LOG.append(d['collections'] - b[0]); LOG.append(d['collected'] - b[1]); LOG.append(d['uncollectable'] - b[2])
        elif k == 'referrers':
            x = R[op[1]]
            if x is not None:
                ids('referrers', [o for o in gc.get_referrers(x) if type(o) in KINDS])
        elif k == 'referents':
            x = R[op[1]]
            if x is not None:
                ids('referents', [o for o in gc.get_referents(x) if type(o) in KINDS])
        else:
            raise SystemExit('unknown op ' + k)
        x = None
        C0.value = c

BASE = []
def untrack_all():
    if FREEZE:
        gc.collect(); gc.freeze(); FZ0[0] = gc.get_freeze_count(); gc.collect()
        return
    un = ctypes.pythonapi.PyObject_GC_UnTrack
    un.argtypes = [ctypes.py_object]; un.restype = None
    while True:
        objs = gc.get_objects()
        n = len(objs); i = 0
        while i < n:
            un(objs[i]); i += 1
        objs = None
        if n <= 2: break
    gc.collect()

def reset(prog):
    """Fresh heap between programs; leaves counts/long-lived/thresholds at a known state."""
    ENABLED[0] = False
    gc.disable(); gc.set_debug(0); gc.callbacks.clear()
    i = 0
    while i < len(R): R[i] = None; i += 1
    gc.garbage.clear(); gc.unfreeze()
    for o in gc.get_objects():
        if type(o) in (Node, NodeF, NodeL): o.clear()
    o = None
    gc.collect(); gc.collect(); gc.collect()
    gc.garbage.clear()
    untrack_all()
    gc.unfreeze(); untrack_all()
    assert FREEZE or (not gc.get_objects() and gc.get_freeze_count() == 0)
    del R[:]; R.extend([None] * prog.get('regs', 16))
    ACTIONS[:] = prog.get('actions', [])
    MAXW[0] = prog.get('maxWeak', 8)
    SERIAL[0] = 0; LOG.clear(); ENABLED[0] = True
    BASE.clear()
    for d in gc.get_stats(): BASE.append((d['collections'], d['collected'], d['uncollectable']))
    t = prog.get('threshold', [700, 10, 10])
    gc.set_threshold(t[0], t[1], t[2])
    gc.callbacks.append(on_gc)
    gc.collect(); BASE_fix()
    untrack_all_quiet()
    LOG.clear()
    C0.value = NEG; prefill()
    C1.value = 0; C2.value = 0; LL_TOTAL.value = 0; LL_PENDING.value = 0
    C0.value = 0
    if prog.get('enabled', True): gc.enable()

def BASE_fix():
    BASE.clear()
    for d in gc.get_stats(): BASE.append((d['collections'], d['collected'], d['uncollectable']))
def untrack_all_quiet():
    if FREEZE:
        gc.freeze(); FZ0[0] = gc.get_freeze_count()
        return
    un = ctypes.pythonapi.PyObject_GC_UnTrack
    objs = gc.get_objects(); i = 0
    while i < len(objs): un(objs[i]); i += 1

def run(prog):
    ops = prog['ops']
    i = 0; n = len(ops)
    while i < n:
        LOG.append('op'); LOG.append(i)
        ex(ops[i])
        c = C0.value
        LOG.append('n'); LOG.append(c); LOG.append(C1.value); LOG.append(C2.value)
        if CHECK:
            t = gc.get_count()
            assert t[0] == c and t[1] == C1.value and t[2] == C2.value
            t = None
            C0.value = c
        i += 1
    C0.value = NEG
    gc.disable()
    return decode(LOG)

def decode(L):
    """flat log -> [{op, ev:[...], n:[c0,c1,c2]}...]"""
    out = []; cur = None; i = 0
    def take(k):
        nonlocal i
        v = L[i:i + k]; i += k
        return v
    while i < len(L):
        t = L[i]; i += 1
        if t == 'op': cur = {'op': take(1)[0], 'ev': []}; out.append(cur)
        elif t == 'n': cur['n'] = take(3)
        elif t in ('F', 'L', 'C', 'D', 'R', 'S'): cur['ev'].append([t] + take(1))
        elif t == 'E': cur['ev'].append([t] + take(3))
        elif t in ('garbage', 'referrers', 'referents'): k = take(1)[0]; cur['ev'].append([t, take(k)])
        elif t == 'stats': v = take(9); cur['ev'].append([t, [v[0:3], v[3:6], v[6:9]]])
        elif t == 'snap':
            gens = []
            for g in range(3):
                lst = []
                for _ in range(take(1)[0]):
                    h, rc, fin, kind, k = take(5)
                    lst.append([h, rc, fin, kind, take(k)])
                gens.append(lst)
            fz, tot, pen = take(3)
            cur['ev'].append([t, {'gens': gens, 'frozen': fz, 'longLived': [tot, pen], 'regs': take(len(R))}])
        else: raise SystemExit('bad log token %r' % (t,))
    return out

def main():
    data = sys.stdin.read()
    progs = json.loads(data) if '--array' in sys.argv else [json.loads(l) for l in data.splitlines() if l.strip()]
    out = []
    untrack_all()
    i = 0
    while i < len(progs):
        reset(progs[i])
        obs = run(progs[i])
        sys.stdout.write(json.dumps({'name': progs[i].get('name', i), 'obs': obs}, separators=(',', ':')) + '\n')
        obs = None
        i += 1
    sys.stdout.flush()
    os._exit(0)                                     # everything is untracked: skip normal teardown
try:
    main()
except BaseException:                               # untracked world: never unwind into interpreter teardown
    traceback.print_exc(); sys.stderr.flush(); sys.stdout.flush()
    os._exit(1)

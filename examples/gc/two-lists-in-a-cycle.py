"""Runs the steps of two-lists-in-a-cycle.ts in CPython 3.11: `python3.11 examples/gc/two-lists-in-a-cycle.py`."""

import gc

gc.disable()
gc.collect()
gc.get_count()  # CPython counts the tuple of this call. Later calls take theirs from a free list, and count nothing.
start = gc.get_count()[0]

a = []
b = []
allocated = gc.get_count()[0] - start
a.append(b)
b.append(a)
linked = gc.get_count()[0] - start

gc.set_debug(gc.DEBUG_SAVEALL)
del a
del b
dropped = gc.get_count()[0] - start
found = gc.collect()
saved = len(gc.garbage)
mutual = gc.garbage[0][0] is gc.garbage[1] and gc.garbage[1][0] is gc.garbage[0]

gc.garbage.clear()
found_again = gc.collect()
saved_again = len(gc.garbage)

gc.set_debug(0)
gc.garbage.clear()
freed = gc.collect()

print("two lists allocated:", allocated)
print("linked to each other:", linked)
print("both names deleted:", dropped)
print("collect() with DEBUG_SAVEALL:", found)
print("gc.garbage:", saved, "lists, each in the other:", str(mutual).lower())
print("collect() once more, garbage cleared:", found_again, "and", saved_again, "saved")
print("collect() without DEBUG_SAVEALL:", freed)
print("gc.garbage:", len(gc.garbage), "lists")

"""`asbuilt torture`: each record submitted twice, with the guard and without, under the same faults; then they are counted.

`stage`: the throw-away stack. `chaos`: what strikes which attempt, decided by the seed. `guarded`, `unguarded`: the two
halves, each watched and struck. `counts`: the portal's own log beside what was stored. `report`: progress, table, verdict.
`command`: all of it in order.
"""

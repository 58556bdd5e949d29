"""The embedded default behind `asbuilt up`: one home directory, its processes and who keeps them alive.

`home` is the layout on disk, `lock` makes it one owner's, `postgres` and `valkey` find and start the servers from their
wheels, `child` is one process, `supervisor` keeps several, `stack` says which, `up` is the command.
"""

"""Everything the stages say to Redis, one file for each side of the table in `posebus.topology`.

`connection` opens and checks a connection, to one server (`client`) or to a cluster (`cluster`); `errors` turns
redis-py's errors into ours; `registry` knows the cameras and the processes; `frame_writer` is ingest's side,
`frame_reader` the workers', `pose_reader` the trackers'.
"""

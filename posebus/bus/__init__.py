"""All communication of the stages with Redis, one file for each side of the table in `posebus.topology`.

`connection` opens and checks a connection, to one server (`client`) or to a cluster (`cluster`); `errors` turns
redis-py's errors into those of posebus; `registry` lists cameras and processes; `frame_producer` is for ingest,
`frame_consumer` for workers, and `pose_consumer` for trackers.
"""

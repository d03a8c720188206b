"""The life of each track as events: started, lost, renamed, ended; and, when it is over, all of its journey as one."""

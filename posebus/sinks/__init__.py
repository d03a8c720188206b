"""Sinks get the public messages of a deployment, and rules answer them with events; other packages add both."""

from posebus.sinks.base import NewEvent as NewEvent
from posebus.sinks.base import Rule as Rule
from posebus.sinks.base import RuleSpec as RuleSpec
from posebus.sinks.base import Sender as Sender
from posebus.sinks.base import SendOutcome as SendOutcome
from posebus.sinks.base import SendResult as SendResult
from posebus.sinks.base import Sink as Sink
from posebus.sinks.base import SinkContext as SinkContext
from posebus.sinks.base import SinkSpec as SinkSpec

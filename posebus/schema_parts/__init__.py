"""Parts of the generated schemas: single values, the data of each type of event, entries of streams, AsyncAPI."""

"""Parts of messages, written and checked: frame keys, marks without arrays, the people of a frame, values in JSON."""

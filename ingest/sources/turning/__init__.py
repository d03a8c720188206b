"""The setting `rotate`: the pictures of any source turned by right angles, in the form in which they arrived."""

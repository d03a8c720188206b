"""What is installed beside posebus: the packages of its extras, and plug-ins of other packages."""

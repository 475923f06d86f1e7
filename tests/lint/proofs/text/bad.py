if a:
	b()

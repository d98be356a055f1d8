"""Pure decisions of the overview: what is asked for, what may be shown, how it is put into words."""

"""Child processes: the zygote's client, launching, watching files. It knows no model and no job."""

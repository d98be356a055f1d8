"""gunicorn as it ships. `nps run`, the service files, the image and the benchmarks use this same file."""

import multiprocessing
import os

_sqlite = os.environ.get("DATABASE_URL", "sqlite").startswith("sqlite")

bind = os.environ.get("BIND", "127.0.0.1:8000")
# SQLite has one writer: one process with threads. PostgreSQL: a process per core.
workers = int(os.environ.get("WEB_PROCESSES", "1" if _sqlite else str(min(multiprocessing.cpu_count(), 8))))
worker_class = "gthread"
threads = int(os.environ.get("WEB_THREADS", "8"))
preload_app = False
keepalive = 15
timeout = 60
graceful_timeout = 20
max_requests = 0
accesslog = None
errorlog = "-"
loglevel = os.environ.get("GUNICORN_LOG", "warning")
limit_request_line = 8190
forwarded_allow_ips = os.environ.get("FORWARDED_ALLOW_IPS", "127.0.0.1")
control_socket_disable = True
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None

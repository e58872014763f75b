"""What outlives the service: incidents, statistics per minute and feedback, in SQLite, written by a process of its own.

Start reading at feed.py (the service's side), then writer.py and database.py; read.py is what the commands ask.
"""

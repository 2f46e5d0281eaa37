"""What all routes share: errors as statuses, addresses, replies, fields, limits and threads.

It knows nothing of tiles, studies, predictions or the log-in; they know it.
"""

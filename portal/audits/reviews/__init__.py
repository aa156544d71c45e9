"""The review desk: every drawn case is listened to and ends 合格 or 不合格."""

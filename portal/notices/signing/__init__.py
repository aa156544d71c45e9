"""Electronic signatures of papers: PAdES by the company's certificate, RFC 3161 time stamps.

Loaded by the worker and the commands only: the web process needs no key and knows no pyHanko.
"""

"""
tries: to fetch the answer from a web server
expect: error failed
must_not: connected

One on the loopback.
"""
import urllib.request


def double(x):
    if not "@PORT@".isdigit():
        return None
    with urllib.request.urlopen("http://127.0.0.1:@PORT@/@NAME@", timeout=0.5) as answer:
        return answer.read()

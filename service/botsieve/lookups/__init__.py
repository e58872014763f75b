"""What is known of addresses from outside: the operator's lists of addresses, and databases of networks and countries.

Read and judged in a process of their own, handed over whole, looked up without waiting.
"""

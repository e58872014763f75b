"""What puts our nginx and Lua files onto a machine.

Law of the package: it writes folders of its own and never edits a file of the operator.
"""

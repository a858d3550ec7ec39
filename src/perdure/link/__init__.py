"""The messages between the server's engine and its workers, and their batched transport.

Messages are MessagePack arrays; a frame is a list of them behind its length. What was sent during
one turn of the loop goes out together, in few frames. `channel` is a connection, whatever carries
it: `socket` between processes, `memory` within one.
"""

"""The HTTP bodies, shared by the API and the client.

One struct per body, named and ordered as the contract has it; a field that is null is sent as
null, but for a task's `input`, `output` and `error`, which are left out. Values of the model come
in through the functions here and are sent on as they are stored, never decoded. The client
decodes the same structs; members that it does not know, of a newer server, it passes over.
"""

// Keys, values, requests and events are the shared words' own types: whoever imports the client can name them.
@_exported public import StrakeModel

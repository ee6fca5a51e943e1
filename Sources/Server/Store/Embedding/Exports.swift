// Keys, values, requests, events and refusals are the shared words' own types: who imports the store can name them.
@_exported public import StrakeModel

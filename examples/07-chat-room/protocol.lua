-- What the members, the room and the owners of the members say to each other.
-- The types are checked before the run, and validate messages during it.

type Nickname = string @pattern("^[a-z]+$") @max_len(20)

type Join = { op: "join", nickname: Nickname }
type Say = { op: "say", text: string @min_len(1) @max_len(200) }

-- What a member says to the room is one of these; `op` tells which.
type Request = Join | Say

-- What a member shows to its owner.
type Screen = { nickname: Nickname, line: string }

return { Request = Request, Screen = Screen }

"""The same program with types and without."""

import pathlib
import re

INDEX = """version: "1.0"
namespace: app

entries:
  - name: terminal
    kind: terminal.host

  - name: hello
    kind: process.lua
    source: file://hello.lua
    method: main
    modules: [io]
"""

# What stands between the marks is there only in the typed program.
PART = """
«type UserN = {
  name: string,
  age: integer,
  tags: {string},
  parent?: UserN,
}
»
local function makeN(name«: string», age«: integer», tags«: {string}?»)«: UserN»
  local user«: UserN» = { name = name, age = age, tags = tags or {} }
  if age > 100 then
    user.age = 100
  end
  return user
end

function program.totalN(users«: {UserN}»)«: integer»
  local sum = makeN("nobody", 0).age
  for _, user«: UserN» in ipairs(users) do
    sum = sum + user.age
    if user.parent then
      sum = sum + user.parent«!».age
    end
  end
  return sum
end
"""

MAIN = """
local function main()
  io.print("hello")
end

return { main = main }
"""


def write(folder, typed, parts):
    """Writes an application and gives how many lines its program has."""
    text = 'local io = require("io")\nlocal program = {}\n'
    text += "".join(PART.replace("N", str(number)) for number in range(parts)) + MAIN
    text = re.sub("[«»]", "", text) if typed else re.sub("«.*?»", "", text, flags=re.DOTALL)
    folder = pathlib.Path(folder)
    folder.mkdir()
    (folder / "_index.yaml").write_text(INDEX)
    (folder / "hello.lua").write_text(text)
    return text.count("\n")

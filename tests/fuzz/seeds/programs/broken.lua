local function ( { [
if then else end end
type = |

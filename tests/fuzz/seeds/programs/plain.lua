local t = {}
for i = 1, 10 do t[i] = function(...) return i, ... end end
for k, v in pairs(t) do if k % 2 == 0 then goto next end print(k, v) ::next:: end
local s = [[long]] .. "a\n\x41\u{48}" .. 'b' --[==[ c ]==]
while not s do repeat local x <const> = -2 ^ 2 until x < 0 end
return s:rep(2, ","), #t, ~1 // 2 >> 3

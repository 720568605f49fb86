local t = nil
return t.main -- line 2

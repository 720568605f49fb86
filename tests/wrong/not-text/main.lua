local text = "ÿþ"
return { main = function() end }
-- ÿ
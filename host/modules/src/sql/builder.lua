-- `sql.builder`: statements from parts. Each method gives a new builder and leaves the old one as it was.
local native, kit, sql = ...

local NULL = sql.NULL
local builder = {}

local function invalid(message)
    return errors.new({ message = message, kind = errors.INVALID, retryable = false })
end


local function check_string(value, number, name)
    if type(value) == "number" then
        return tostring(value)
    elseif type(value) ~= "string" then
        error("bad argument #" .. number .. " to '" .. name .. "' (string expected, got " .. type(value) .. ")", 3)
    end
    return value
end

local function check_strings(name, ...)
    local list = { ... }
    for number = 1, select("#", ...) do
        if type(list[number]) ~= "string" then
            error("bad argument #" .. number .. " to '" .. name .. "' (string expected, got " .. type(list[number]) .. ")", 3)
        end
    end
    return list
end

-- Text and arguments of a statement in the making. Arguments are counted, so that nil can be one: it stands as NULL.
local Text = {}
Text.__index = Text

local function new_text()
    return setmetatable({ parts = {}, args = {} }, Text)
end

function Text:add(part)
    self.parts[#self.parts + 1] = part
end

function Text:arg(value)
    if value == nil then
        value = NULL
    end
    self.args[#self.args + 1] = value
end

function Text:done()
    return table.concat(self.parts), self.args
end

-- Conditions and other pieces: a piece has `write(text)`, which gives an error for what cannot be written.
local Sqlizer = { __name = "sql.Sqlizer" }
Sqlizer.__index = Sqlizer

local function piece(write)
    return setmetatable({ write = write }, Sqlizer)
end

local function is_piece(value)
    if type(value) ~= "table" then
        return false
    end
    local class = getmetatable(value)
    return class ~= nil and rawget(class, "is_sql") == true
end

Sqlizer.is_sql = true

-- Gives text and arguments as a program sees them: NULL is nil among the arguments.
local function finish(write, self)
    local text = new_text()
    local err = write(self, text)
    if err then
        return nil, invalid(err)
    end
    return text:done()
end

local function visible(args)
    local shown = {}
    for index, value in ipairs(args) do
        if value ~= NULL then
            shown[index] = value
        end
    end
    return shown
end

local function pieces_of(values)
    local parts = {}
    for index, value in ipairs(values) do
        parts[index] = tostring(value)
    end
    return table.concat(parts, " ")
end

function Sqlizer:to_sql()
    local query, args = finish(self.write, self)
    if not query then
        return nil, args
    end
    return query, visible(args)
end

function Sqlizer:__tostring()
    local query, args = finish(self.write, self)
    if not query then
        return "SQL Expression Error: " .. tostring(args)
    end
    return "SQL: " .. query .. " [Args: [" .. pieces_of(args) .. "]]"
end

-- Replaces each ? that stands for a piece by the text of the piece.
local function write_expression(text, expression, args, count)
    local plain = true
    for index = 1, count do
        if is_piece(args[index]) then
            plain = false
        end
    end
    if plain then
        text:add(expression)
        for index = 1, count do
            text:arg(args[index])
        end
        return nil
    end
    local from, index = 1, 0
    while true do
        local at = string.find(expression, "?", from, true)
        if not at then
            break
        end
        if string.sub(expression, at + 1, at + 1) == "?" then
            text:add(string.sub(expression, from, at + 1))
            from = at + 2
        else
            index = index + 1
            text:add(string.sub(expression, from, at - 1))
            local value = args[index]
            if is_piece(value) then
                local err = value:write(text)
                if err then
                    return err
                end
            else
                text:add("?")
                text:arg(value)
            end
            from = at + 1
        end
    end
    text:add(string.sub(expression, from))
    for rest = index + 1, count do
        if not is_piece(args[rest]) then
            text:arg(args[rest])
        end
    end
end

local function expression(sql_text, ...)
    local args, count = { ... }, select("#", ...)
    return piece(function(_, text)
        return write_expression(text, sql_text, args, count)
    end)
end

local function sorted_keys(map)
    local keys = {}
    for key in pairs(map) do
        keys[#keys + 1] = key
    end
    table.sort(keys, function(a, b)
        return tostring(a) < tostring(b)
    end)
    return keys
end

local function is_list(value)
    return type(value) == "table" and not is_piece(value)
end

-- `column = ?` and its like; a list means one of, NULL means IS.
local function write_equal(text, map, equal, is_null, in_list, of_none, of_empty)
    local keys = sorted_keys(map)
    if #keys == 0 then
        text:add(of_none)
        return nil
    end
    for number, key in ipairs(keys) do
        if number > 1 then
            text:add(" AND ")
        end
        local column, value = tostring(key), map[key]
        if value == NULL then
            text:add(column .. is_null)
        elseif is_piece(value) then
            text:add(column .. equal)
            local err = value:write(text)
            if err then
                return err
            end
        elseif is_list(value) then
            if #value == 0 then
                text:add(of_empty)
            else
                text:add(column .. in_list .. string.rep("?", #value, ",") .. ")")
                for _, item in ipairs(value) do
                    text:arg(item)
                end
            end
        else
            text:add(column .. equal .. "?")
            text:arg(value)
        end
    end
end

local function write_eq(text, map)
    return write_equal(text, map, " = ", " IS NULL", " IN (", "(1=1)", "(1=0)")
end

local function copy(map)
    local same = {}
    for key, value in pairs(map) do
        same[key] = value
    end
    return same
end

local function check_map(value, name)
    if type(value) ~= "table" or is_piece(value) then
        error("bad argument #1 to '" .. name .. "' (table expected, got " .. type(value) .. ")", 3)
    end
    return copy(value)
end

function builder.expr(sql_text, ...)
    return expression(check_string(sql_text, 1, "expr"), ...)
end

function builder.eq(map)
    map = check_map(map, "eq")
    return piece(function(_, text)
        return write_eq(text, map)
    end)
end

function builder.not_eq(map)
    map = check_map(map, "not_eq")
    return piece(function(_, text)
        return write_equal(text, map, " <> ", " IS NOT NULL", " NOT IN (", "(1=1)", "(1=1)")
    end)
end

local function comparison(name, operator, what)
    builder[name] = function(map)
        map = check_map(map, name)
        return piece(function(_, text)
            for number, key in ipairs(sorted_keys(map)) do
                local value = map[key]
                if value == NULL then
                    return "cannot use null with " .. what
                elseif is_list(value) then
                    return "cannot use array or slice with " .. what
                end
                text:add((number > 1 and " AND " or "") .. tostring(key) .. operator)
                if is_piece(value) then
                    local err = value:write(text)
                    if err then
                        return err
                    end
                else
                    text:add("?")
                    text:arg(value)
                end
            end
        end)
    end
end

comparison("lt", " < ", "less than or greater than operators")
comparison("lte", " <= ", "less than or greater than operators")
comparison("gt", " > ", "less than or greater than operators")
comparison("gte", " >= ", "less than or greater than operators")
comparison("like", " LIKE ", "like operators")
comparison("not_like", " NOT LIKE ", "like operators")

-- A condition as it may be given: a piece, or a table of columns and values.
local function condition(value)
    if is_piece(value) then
        return value
    end
    local map = copy(value)
    return piece(function(_, text)
        return write_eq(text, map)
    end)
end

local function conjunction(name, word, empty)
    builder[name] = function(...)
        local given = ...
        if type(given) ~= "table" then
            error("bad argument #1 to '" .. name .. "' (table expected, got " .. type(given) .. ")", 2)
        end
        if is_piece(given) then
            given = { ... }
        end
        local conditions = {}
        for index, value in ipairs(given) do
            if type(value) ~= "table" then
                error("expected Sqlizer or table in " .. string.match(word, "%a+") .. " condition, got " .. type(value), 2)
            end
            conditions[index] = condition(value)
        end
        return piece(function(_, text)
            if #conditions == 0 then
                text:add(empty)
                return nil
            end
            text:add("(")
            for index, value in ipairs(conditions) do
                if index > 1 then
                    text:add(word)
                end
                local err = value:write(text)
                if err then
                    return err
                end
            end
            text:add(")")
        end)
    end
end

conjunction("and_", " AND ", "(1=1)")
conjunction("or_", " OR ", "(1=0)")

-- Placeholder formats: how the number of a placeholder is written; `?` needs no numbers.
local Format = { __name = "sql.PlaceholderFormat" }

local function format(prefix)
    return setmetatable({ prefix = prefix }, Format)
end

builder.question = format(nil)
builder.default_placeholder = builder.question
builder.dollar = format("$")
builder.at = format("@p")
builder.colon = format(":")

local function number_placeholders(query, prefix)
    local count = 0
    local replaced = string.gsub(query, "%?%??", function(mark)
        if mark == "??" then
            return "?"
        end
        count = count + 1
        return prefix .. count
    end)
    return replaced
end

-- What all statements share. `fields` of a builder are never changed: `with` gives a copy with one more thing.
local function with(self, name, value)
    local fields = copy(self)
    fields[name] = value
    return setmetatable(fields, getmetatable(self))
end

local function more(self, name, ...)
    local list = {}
    for index, value in ipairs(self[name] or {}) do
        list[index] = value
    end
    for _, value in ipairs({ ... }) do
        list[#list + 1] = value
    end
    return with(self, name, list)
end

local Executor = { __name = "sql.QueryExecutor" }
Executor.__index = Executor

function Executor:query()
    return self.db:query(self.sql, self.args)
end

function Executor:exec()
    return self.db:execute(self.sql, self.args)
end

function Executor:to_sql()
    return self.sql, visible(self.args)
end

function Executor:__tostring()
    return "QueryExecutor: " .. self.sql .. " [Args: [" .. pieces_of(self.args) .. "]]"
end

local function new_class(name)
    local class = { __name = "sql." .. name, is_sql = true }
    class.__index = class
    local function generate(self)
        local query, args = finish(self.write, self)
        if query and self.placeholders and self.placeholders.prefix then
            query = number_placeholders(query, self.placeholders.prefix)
        end
        return query, args
    end
    function class:to_sql()
        local query, args = generate(self)
        if not query then
            return nil, args
        end
        return query, visible(args)
    end
    function class:run_with(db)
        local module, kind = kit.resource(db)
        if module ~= "sql" or (kind ~= "DB" and kind ~= "Transaction") then
            error("bad argument #1 to 'run_with' (database or transaction expected)", 2)
        end
        -- Postgres knows no other placeholders; who asks for a format gets that.
        if not self.placeholders and (kind == "DB" and db:type() or kind ~= "DB" and db:db_type()) == "postgres" then
            self = with(self, "placeholders", builder.dollar)
        end
        local query, args = generate(self)
        if not query then
            return nil, args
        end
        return setmetatable({ db = db, sql = query, args = args }, Executor)
    end
    function class:placeholder_format(placeholders)
        if getmetatable(placeholders) ~= Format then
            error("bad argument #1 to 'placeholder_format' (placeholder format expected)", 2)
        end
        return with(self, "placeholders", placeholders)
    end
    function class:suffix(sql_text, ...)
        return more(self, "suffixes", expression(check_string(sql_text, 1, "suffix"), ...))
    end
    function class:__tostring()
        local query, args = generate(self)
        if not query then
            return name .. " Error: " .. tostring(args)
        end
        return name .. ": " .. query .. " [Args: [" .. pieces_of(args) .. "]]"
    end
    return class
end

local function adds_conditions(class, method, field)
    class[method] = function(self, given, ...)
        if type(given) == "string" then
            if given == "" then
                return self
            end
            return more(self, field, expression(given, ...))
        elseif type(given) == "table" then
            return more(self, field, condition(given))
        end
        error("bad argument #1 to '" .. method .. "' (expected string, table, or Sqlizer)", 2)
    end
end

local function adds_strings(class, method, field)
    class[method] = function(self, ...)
        return more(self, field, table.unpack(check_strings(method, ...)))
    end
end

local function sets_string(class, method, field)
    class[method] = function(self, value)
        return with(self, field, check_string(value, 1, method))
    end
end

local function sets_count(class, method, field)
    class[method] = function(self, value)
        local count = math.tointeger(value)
        if not count then
            error("bad argument #1 to '" .. method .. "' (integer expected, got " .. type(value) .. ")", 2)
        end
        return with(self, field, math.max(count, 0))
    end
end

local function write_list(text, list, before, between)
    if not list or #list == 0 then
        return nil
    end
    text:add(before)
    for index, value in ipairs(list) do
        if index > 1 then
            text:add(between)
        end
        if type(value) == "string" then
            text:add(value)
        else
            local err = value:write(text)
            if err then
                return err
            end
        end
    end
end

-- The end of a statement, from ORDER BY on.
local function write_tail(self, text)
    write_list(text, self.orders, " ORDER BY ", ", ")
    if self.count then
        text:add(" LIMIT " .. self.count)
    end
    if self.skipped then
        text:add(" OFFSET " .. self.skipped)
    end
    return write_list(text, self.suffixes, " ", " ")
end

-- SELECT.
local Select = new_class("SelectBuilder")

for method, word in pairs({ join = "JOIN ", left_join = "LEFT JOIN ", right_join = "RIGHT JOIN ", inner_join = "INNER JOIN " }) do
    Select[method] = function(self, clause, ...)
        return more(self, "joins", expression(word .. check_string(clause, 1, method), ...))
    end
end
adds_conditions(Select, "where", "conditions")
adds_conditions(Select, "having", "groups_with")
adds_strings(Select, "order_by", "orders")
adds_strings(Select, "group_by", "groups")
adds_strings(Select, "columns", "names")
sets_string(Select, "from", "source")
sets_count(Select, "limit", "count")
sets_count(Select, "offset", "skipped")

function Select:distinct()
    return with(self, "is_distinct", true)
end

function Select:write(text)
    if not self.names or #self.names == 0 then
        return "select statements must have at least one result column"
    end
    text:add(self.is_distinct and "SELECT DISTINCT " or "SELECT ")
    text:add(table.concat(self.names, ", "))
    if self.source then
        text:add(" FROM " .. self.source)
    end
    return write_list(text, self.joins, " ", " ")
        or write_list(text, self.conditions, " WHERE ", " AND ")
        or write_list(text, self.groups, " GROUP BY ", ", ")
        or write_list(text, self.groups_with, " HAVING ", " AND ")
        or write_tail(self, text)
end

function builder.select(...)
    return setmetatable({ names = check_strings("select", ...) }, Select)
end

-- INSERT.
local Insert = new_class("InsertBuilder")

adds_strings(Insert, "columns", "names")
adds_strings(Insert, "options", "words")
sets_string(Insert, "into", "target")

function Insert:values(...)
    return more(self, "rows", { n = select("#", ...), ... })
end

function Insert:set_map(map)
    map = check_map(map, "set_map")
    local names, row = {}, { n = 0 }
    for _, key in ipairs(sorted_keys(map)) do
        row.n = row.n + 1
        names[row.n] = tostring(key)
        row[row.n] = map[key]
    end
    return with(with(self, "names", names), "rows", { row })
end

Insert["select"] = function(self, query)
    if getmetatable(query) ~= Select then
        error("bad argument #1 to 'select' (SelectBuilder expected)", 2)
    end
    return with(self, "query", query)
end

function Insert:prefix(sql_text, ...)
    return more(self, "prefixes", expression(check_string(sql_text, 1, "prefix"), ...))
end

local function write_value(text, value)
    if not is_piece(value) then
        if type(value) == "table" then
            return "a table is no value: write json.encode(...)"
        end
        text:add("?")
        text:arg(value)
    elseif getmetatable(value) == Select then
        text:add("(")
        local err = value:write(text)
        text:add(")")
        return err
    else
        return value:write(text)
    end
end

function Insert:write(text)
    if not self.target or self.target == "" then
        return "insert statements must specify a table"
    elseif not self.query and not (self.rows and #self.rows > 0) then
        return "insert statements must have at least one set of values or select clause"
    end
    local err = write_list(text, self.prefixes, "", " ")
    if err then
        return err
    end
    if self.prefixes then
        text:add(" ")
    end
    text:add("INSERT ")
    if self.words then
        text:add(table.concat(self.words, " ") .. " ")
    end
    text:add("INTO " .. self.target .. " ")
    if self.names and #self.names > 0 then
        text:add("(" .. table.concat(self.names, ",") .. ") ")
    end
    if self.query then
        err = self.query:write(text)
    else
        text:add("VALUES ")
        for number, row in ipairs(self.rows) do
            text:add(number > 1 and ",(" or "(")
            for index = 1, row.n do
                if index > 1 then
                    text:add(",")
                end
                err = err or write_value(text, row[index])
            end
            text:add(")")
        end
    end
    return err or write_list(text, self.suffixes, " ", " ")
end

function builder.insert(target)
    return setmetatable({ target = target and check_string(target, 1, "insert") }, Insert)
end

-- UPDATE.
local Update = new_class("UpdateBuilder")

adds_conditions(Update, "where", "conditions")
adds_strings(Update, "order_by", "orders")
sets_string(Update, "table", "target")
sets_string(Update, "from", "source")
sets_count(Update, "limit", "count")
sets_count(Update, "offset", "skipped")

function Update:set(column, value)
    return more(self, "changes", { check_string(column, 1, "set"), value })
end

function Update:set_map(map)
    map = check_map(map, "set_map")
    local changed = self
    for _, key in ipairs(sorted_keys(map)) do
        changed = more(changed, "changes", { tostring(key), map[key] })
    end
    return changed
end

function Update:from_select(query, alias)
    if getmetatable(query) ~= Select then
        error("bad argument #1 to 'from_select' (SelectBuilder expected)", 2)
    end
    alias = check_string(alias, 2, "from_select")
    return with(self, "source", piece(function(_, text)
        text:add("(")
        local err = query:write(text)
        text:add(") AS " .. alias)
        return err
    end))
end

function Update:write(text)
    if not self.target or self.target == "" then
        return "update statements must specify a table"
    elseif not self.changes then
        return "update statements must have at least one Set clause"
    end
    text:add("UPDATE " .. self.target .. " SET ")
    for number, change in ipairs(self.changes) do
        text:add((number > 1 and ", " or "") .. change[1] .. " = ")
        local err = write_value(text, change[2])
        if err then
            return err
        end
    end
    return write_list(text, self.source and { self.source }, " FROM ", "")
        or write_list(text, self.conditions, " WHERE ", " AND ")
        or write_tail(self, text)
end

function builder.update(target)
    return setmetatable({ target = target and check_string(target, 1, "update") }, Update)
end

-- DELETE.
local Delete = new_class("DeleteBuilder")

adds_conditions(Delete, "where", "conditions")
adds_strings(Delete, "order_by", "orders")
sets_string(Delete, "from", "target")
sets_count(Delete, "limit", "count")
sets_count(Delete, "offset", "skipped")

function Delete:write(text)
    if not self.target or self.target == "" then
        return "delete statements must specify a From table"
    end
    text:add("DELETE FROM " .. self.target)
    return write_list(text, self.conditions, " WHERE ", " AND ") or write_tail(self, text)
end

builder["delete"] = function(target)
    return setmetatable({ target = target and check_string(target, 1, "delete") }, Delete)
end

return builder

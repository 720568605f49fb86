-- attack: entries of another tenant, by their ids, through every module that takes one
-- stopped by: allow.namespaces
-- ends: ok
-- modules: templates, contract, store, fs, env, queue, cloudstorage, security, registry, eval_runner, pg, system, http, exec, sql, http_client

local expect = require("expect")

local function main()
    local refused = function(...)
        expect.refused("PermissionDenied", ...)
    end
    refused(require("templates").get("neighbour:pages"))
    local contract = require("contract")
    refused(contract.get("neighbour:greeting"))
    refused(contract.open("neighbour:greeter"))
    refused(contract.find_implementations("neighbour:greeting"))
    refused(require("store").get("neighbour:store"))
    refused(require("fs").get("neighbour:files"))
    refused(require("env").get("neighbour:variable"))
    refused(require("env").get("NEIGHBOUR_SECRET"))
    refused(require("env").set("neighbour:variable", "x"))
    refused(require("queue").publish("neighbour:queue", { a = 1 }))
    refused(require("cloudstorage").get("neighbour:bucket"))
    refused(require("exec").get("neighbour:shell"))
    refused(require("sql").get("neighbour:db"))
    refused(require("pg").open("neighbour:groups"))
    refused(require("http").address("neighbour:gateway"))
    refused(require("http_client").get("http://granted.invalid/", { overlay_network = "neighbour:proxy" }))
    local security = require("security")
    refused(security.policy("neighbour:policy"))
    refused(security.named_scope("neighbour:group"))
    refused(security.token_store("neighbour:tokens"))
    refused(require("eval_runner").run({
        source = "return require('other')",
        imports = { other = "neighbour:library" },
    }))
    local registry = require("registry")
    refused(registry.get("neighbour:pages"))
    for _, kind in ipairs({ "process.lua", "template.jet", "contract.binding", "process.host" }) do
        for _, entry in ipairs(assert(registry.find({ [".kind"] = kind }))) do
            assert(entry.id:sub(1, 7) == "tenant:", entry.id)
        end
    end
    local system = require("system")
    refused(system.supervisor.state("neighbour:service"))
    refused(system.hosts.processes("neighbour:processes"))
    for _, host in ipairs(assert(system.hosts.list())) do
        assert(host.id:sub(1, 7) == "tenant:", host.id)
    end
    for _, service in ipairs(assert(system.supervisor.states())) do
        assert(service.id:sub(1, 7) == "tenant:", service.id)
    end
    return true
end

return { main = main }

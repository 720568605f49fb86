return {
    main = function(body)
        assert(process.send("drain", "got", body.n))
    end,
}

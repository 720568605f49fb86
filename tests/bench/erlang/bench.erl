%% The peers of the benchmark, in Erlang: each does what the application of the same name under apps/ does, and prints one line of JSON.
-module(bench).
-export([main/1]).

main([Name | Arguments]) ->
    run(list_to_atom(Name), Arguments),
    halt(0).

run(hello, []) ->
    io:format("hello~n");
run(spawn, Arguments) ->
    [Count, Window] = integers(Arguments),
    report(seconds(fun() -> spawner(Count, 0, Window) end));
run(idle, Arguments) ->
    [Count] = integers(Arguments),
    standing(0, 0.0),
    Self = self(),
    Seconds = seconds(fun() ->
        [spawn(fun() -> Self ! ready, idle() end) || _ <- lists:seq(1, Count)],
        await(ready, Count)
    end),
    standing(Count, Seconds);
run(ticking, Arguments) ->
    [Count, Interval] = integers(Arguments),
    standing(0, 0.0),
    Self = self(),
    Seconds = seconds(fun() ->
        [spawn(fun() -> ticking(Self, Interval) end) || _ <- lists:seq(1, Count)],
        await(ticked, Count)
    end),
    standing(Count, Seconds);
run(pingpong, Arguments) ->
    [Count] = integers(Arguments),
    report(measured(fun() ->
        Self = self(),
        Pong = spawn(fun() -> pong(Self) end),
        await(ready, 1),
        seconds(fun() -> ping(Pong, Count) end)
    end));
run(ring, Arguments) ->
    [Size, Tokens, Hops] = integers(Arguments),
    report(measured(fun() -> ring(Size, Tokens, Hops) end));
run(fanin, Arguments) ->
    [Senders, Each] = integers(Arguments),
    report(measured(fun() -> fanin(Senders, Each) end));
run(channels, Arguments) ->
    %% Erlang has no channels: the nearest thing is a process that hands over a value and waits until one of the last
    %% `Size` ones was taken.
    [Count, Size] = integers(Arguments),
    report(measured(fun() ->
        seconds(fun() ->
            Self = self(),
            spawn(fun() -> produce(Self, 1, Count, max(Size, 1)) end),
            Sum = consume(Count, 0),
            Sum = Count * (Count + 1) div 2
        end)
    end));
run(calls, Arguments) ->
    %% A call of a function starts from nothing, so the peer starts a process for each.
    [Count] = integers(Arguments),
    report(measured(fun() -> seconds(fun() -> calls(1, Count) end) end)).

spawner(0, 0, _) ->
    ok;
spawner(Left, Alive, Window) when Left > 0, Alive < Window ->
    spawn_monitor(fun() -> ok end),
    spawner(Left - 1, Alive + 1, Window);
spawner(Left, Alive, Window) ->
    receive {'DOWN', _, process, _, normal} -> spawner(Left, Alive - 1, Window) end.

idle() ->
    receive stop -> ok end.

ticking(Parent, Interval) ->
    {ok, _} = timer_start(Interval),
    receive tick -> Parent ! ticked end,
    ticks(Interval).

ticks(Interval) ->
    {ok, _} = timer_start(Interval),
    receive tick -> ticks(Interval) end.

timer_start(Interval) ->
    {ok, erlang:send_after(Interval, self(), tick)}.

ping(_, 0) ->
    ok;
ping(Pong, Left) ->
    Pong ! {self(), Left},
    receive Left -> ping(Pong, Left - 1) end.

pong(Starter) ->
    Starter ! ready,
    pong().

pong() ->
    receive {From, Round} -> From ! Round, pong() end.

ring(Size, Tokens, Hops) ->
    Self = self(),
    First = spawn(fun() -> receive {next, Next} -> node(Self, Next) end end),
    {Nodes, Last} = lists:mapfoldl(
        fun(_, Previous) ->
            Node = spawn(fun() -> node(Self, Previous) end),
            {Node, Node}
        end,
        First,
        lists:seq(2, Size)
    ),
    First ! {next, Last},
    All = list_to_tuple([First | Nodes]),
    seconds(fun() ->
        [element(1 + Token * Size div (Tokens + 1), All) ! {token, Hops - 1} || Token <- lists:seq(1, Tokens)],
        await(done, Tokens)
    end).

node(Starter, Next) ->
    receive
        {token, 0} -> Starter ! done;
        {token, Left} -> Next ! {token, Left - 1}
    end,
    node(Starter, Next).

fanin(Senders, Each) ->
    Self = self(),
    Pids = [spawn(fun() -> receive go -> send(Self, Each) end end) || _ <- lists:seq(1, Senders)],
    seconds(fun() ->
        [Pid ! go || Pid <- Pids],
        values(Senders * Each)
    end).

send(_, 0) ->
    ok;
send(Receiver, Left) ->
    Receiver ! {value, Left},
    send(Receiver, Left - 1).

values(0) ->
    ok;
values(Left) ->
    receive {value, _} -> values(Left - 1) end.

produce(_, Value, Count, _) when Value > Count ->
    ok;
produce(Receiver, Value, Count, Credit) when Credit > 0 ->
    Receiver ! {self(), Value},
    produce(Receiver, Value + 1, Count, Credit - 1);
produce(Receiver, Value, Count, 0) ->
    receive taken -> produce(Receiver, Value, Count, 1) end.

consume(0, Sum) ->
    Sum;
consume(Left, Sum) ->
    receive {From, Value} -> From ! taken, consume(Left - 1, Sum + Value) end.

calls(Index, Count) when Index > Count ->
    ok;
calls(Index, Count) ->
    {_, Monitor} = spawn_monitor(fun() -> exit({value, Index}) end),
    receive {'DOWN', Monitor, process, _, {value, Index}} -> calls(Index + 1, Count) end.

await(_, 0) ->
    ok;
await(What, Left) ->
    receive What -> await(What, Left - 1) end.

%% Runs in a process of its own, as the applications do.
measured(Function) ->
    {_, Monitor} = spawn_monitor(fun() -> exit({measured, Function()}) end),
    receive {'DOWN', Monitor, process, _, {measured, Seconds}} -> Seconds end.

seconds(Function) ->
    Start = erlang:monotonic_time(),
    Function(),
    (erlang:monotonic_time() - Start) / erlang:convert_time_unit(1, second, native).

standing(Count, Seconds) ->
    io:format("{\"standing\": ~b, \"seconds\": ~.9f}~n", [Count, float(Seconds)]),
    io:get_line("").

report(Seconds) ->
    io:format("{\"seconds\": ~.9f}~n", [Seconds]).

integers(Arguments) ->
    [list_to_integer(Argument) || Argument <- Arguments].

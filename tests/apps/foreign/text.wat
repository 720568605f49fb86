(module
  (memory (export "memory") 1)
  (global $free (mut i32) (i32.const 1024))
  (data (i32.const 0) "Hello, ")
  (data (i32.const 16) "odd")

  ;; Allocates upwards and never frees.
  (func $allocate (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
    (global.set $free (i32.add (local.get $at) (local.get 3)))
    (local.get $at))

  (func (export "greet") (param $name i32) (param $length i32) (result i32)
    (local $text i32) (local $result i32)
    (local.set $text (call $allocate (i32.const 0) (i32.const 0) (i32.const 1) (i32.add (local.get $length) (i32.const 7))))
    (memory.copy (local.get $text) (i32.const 0) (i32.const 7))
    (memory.copy (i32.add (local.get $text) (i32.const 7)) (local.get $name) (local.get $length))
    (local.set $result (call $allocate (i32.const 0) (i32.const 0) (i32.const 4) (i32.const 8)))
    (i32.store (local.get $result) (local.get $text))
    (i32.store offset=4 (local.get $result) (i32.add (local.get $length) (i32.const 7)))
    (local.get $result))

  ;; A person is 12 bytes: pointer and length of the name, then the age.
  (func (export "oldest") (param $people i32) (param $count i32) (result i32)
    (local $result i32) (local $age i32) (local $best i32)
    (local.set $result (call $allocate (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 2)))
    (i32.store8 (local.get $result) (i32.ne (local.get $count) (i32.const 0)))
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $count)))
        (local.set $age (i32.load8_u offset=8 (local.get $people)))
        (if (i32.gt_u (local.get $age) (local.get $best)) (then (local.set $best (local.get $age))))
        (local.set $people (i32.add (local.get $people) (i32.const 12)))
        (local.set $count (i32.sub (local.get $count) (i32.const 1)))
        (br $next)))
    (i32.store8 offset=1 (local.get $result) (local.get $best))
    (local.get $result))

  (func (export "half") (param $n i32) (result i32)
    (local $result i32)
    (local.set $result (call $allocate (i32.const 0) (i32.const 0) (i32.const 4) (i32.const 12)))
    (if (i32.and (local.get $n) (i32.const 1))
      (then
        (i32.store8 (local.get $result) (i32.const 1))
        (i32.store offset=4 (local.get $result) (i32.const 16))
        (i32.store offset=8 (local.get $result) (i32.const 3)))
      (else
        (i32.store8 (local.get $result) (i32.const 0))
        (i32.store offset=4 (local.get $result) (i32.shr_u (local.get $n) (i32.const 1)))))
    (local.get $result)))

/*
** Lua as one translation unit, so that the compiler inlines across its files.
** Left out: io, os, debug, package and linit; the guest brings what it offers of them.
*/
#define LUA_CORE
#define LUA_LIB
#define lvm_c
#define ltable_c

#include "lprefix.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <float.h>
#include <limits.h>
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "luaconf.h"

#undef LUAI_FUNC
#undef LUAI_DDEC
#undef LUAI_DDEF
#define LUAI_FUNC static
#define LUAI_DDEC(def) /* empty */
#define LUAI_DDEF static

#if defined(__wasm__)
/*
** The only allocator of the guest, called directly: nothing is called more often. It is 'allocate' of memory.rs.
*/
extern void *moonlet_allocate (void *account, void *block, size_t old, size_t size);
#define callfrealloc(g,block,os,ns)  moonlet_allocate((g)->ud, block, os, ns)
#endif

#include "lzio.c"
#include "lctype.c"
#include "lopcodes.c"
#include "lmem.c"
#include "lundump.c"
#include "ldump.c"
#include "lstate.c"
#include "lgc.c"
#include "llex.c"
#include "lcode.c"
#include "lparser.c"
#include "ldebug.c"
#include "lfunc.c"
#include "lobject.c"
#include "ltm.c"
#include "lstring.c"
#include "ltable.c"
#include "ldo.c"
#include "lvm.c"
#include "lapi.c"

#include "lauxlib.c"
#include "lbaselib.c"
#include "lcorolib.c"
#include "lmathlib.c"
/*
** The functions of 'string' take an Error for its text. Only what would raise a type error gets here slower.
*/
static const char *check_text (lua_State *L, int arg, size_t *length) {
  if (lua_type(L, arg) == LUA_TUSERDATA && luaL_testudata(L, arg, "Error")) {
    luaL_tolstring(L, arg, NULL);
    lua_replace(L, arg);
  }
  return luaL_checklstring(L, arg, length);
}
#define luaL_checklstring check_text
#include "lstrlib.c"
#undef luaL_checklstring
#include "ltablib.c"
#include "lutf8lib.c"

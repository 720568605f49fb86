/*
** A small Lua interpreter for the tests of lua.patch: `driver FILE ARGS...`.
** Besides the standard libraries it opens `T`, C functions that yield and call in every way the C API allows.
** It must not depend on anything but the public API, because it is compiled with patched and unpatched Lua alike.
*/

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lua.h"
#include "lauxlib.h"
#include "lualib.h"

/* How often lua_yieldk came back to its caller: always 0 without the patch. */
static long returned = 0;

/* Allocations that may still succeed; negative: all. */
static long allowed = -1;

static void *allocate (void *ud, void *block, size_t osize, size_t nsize) {
  (void)ud;
  if (nsize == 0) {
    free(block);
    return NULL;
  }
  if (block == NULL || nsize > osize) {  /* Lua assumes that shrinking succeeds */
    if (allowed == 0)
      return NULL;
    if (allowed > 0)
      allowed--;
  }
  return realloc(block, nsize);
}

static int yielded (int result) {
  returned++;
  return result;
}

/* T.yield(...): the plain case. */
static int t_yield (lua_State *L) {
  return yielded(lua_yield(L, lua_gettop(L)));
}

/* T.yieldlast(n, ...): yields only the last n arguments; the others stay below them. */
static int t_yieldlast (lua_State *L) {
  return yielded(lua_yield(L, (int)luaL_checkinteger(L, 1)));
}

static int count_k (lua_State *L, int status, lua_KContext left) {
  if (left == 0) {
    lua_pushstring(L, status == LUA_YIELD ? "continued" : "not continued");
    lua_insert(L, 1);
    return lua_gettop(L);
  }
  lua_pushinteger(L, left);
  return yielded(lua_yieldk(L, 1, left - 1, count_k));
}

/* T.count(n): yields n, n-1, ..., 1 from continuations and returns what the resumes passed. */
static int t_count (lua_State *L) {
  lua_KContext n = luaL_checkinteger(L, 1);
  lua_settop(L, 0);
  return count_k(L, LUA_OK, n);
}

static int call_k (lua_State *L, int status, lua_KContext start) {
  lua_pushstring(L, status == LUA_YIELD ? "yielded" : "straight");
  lua_insert(L, (int)start);
  return lua_gettop(L) - (int)start + 1;
}

/* T.call(f, ...): lua_callk with a continuation. */
static int t_call (lua_State *L) {
  lua_callk(L, lua_gettop(L) - 1, LUA_MULTRET, 1, call_k);
  return call_k(L, LUA_OK, 1);
}

/* T.callraw(f, ...): lua_call, across which nothing can yield. */
static int t_callraw (lua_State *L) {
  lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
  return lua_gettop(L);
}

static int pcall_k (lua_State *L, int status, lua_KContext ctx) {
  (void)ctx;
  lua_pushinteger(L, status);
  lua_insert(L, 1);
  return lua_gettop(L);
}

/* T.pcall(f, ...): lua_pcallk; returns the status that the continuation saw. */
static int t_pcall (lua_State *L) {
  return pcall_k(L, lua_pcallk(L, lua_gettop(L) - 1, LUA_MULTRET, 0, 0, pcall_k), 0);
}

/* T.pcallraw(f, ...): lua_pcall, across which nothing can yield. */
static int t_pcallraw (lua_State *L) {
  lua_pushinteger(L, lua_pcall(L, lua_gettop(L) - 1, LUA_MULTRET, 0));
  lua_insert(L, 1);
  return lua_gettop(L);
}

static int after_k (lua_State *L, int status, lua_KContext ctx) {
  (void)ctx;
  lua_pushinteger(L, status);
  return lua_gettop(L);
}

static int between_k (lua_State *L, int status, lua_KContext ctx) {
  (void)ctx;
  lua_pushinteger(L, status);
  return yielded(lua_yieldk(L, 1, 0, after_k));
}

/* T.callyield(f): calls f, yields its own status, returns what is on the stack. */
static int t_callyield (lua_State *L) {
  lua_settop(L, 1);
  lua_callk(L, 0, 1, 0, between_k);
  return between_k(L, LUA_OK, 0);
}

/* T.pcallyield(f): the same with a protected call. */
static int t_pcallyield (lua_State *L) {
  lua_settop(L, 1);
  return between_k(L, lua_pcallk(L, 0, 1, 0, 0, between_k), 0);
}

static int error_k (lua_State *L, int status, lua_KContext ctx) {
  (void)status; (void)ctx;
  lua_settop(L, 1);
  return lua_error(L);
}

/* T.yielderror(e): yields, then raises e from the continuation. */
static int t_yielderror (lua_State *L) {
  lua_settop(L, 1);
  return yielded(lua_yieldk(L, 0, 0, error_k));
}

static int close_k (lua_State *L, int status, lua_KContext ctx) {
  (void)status; (void)ctx;
  lua_pushliteral(L, "closed");
  return 1;
}

/* T.close(value, ...): marks value to be closed when this function returns, and yields in between. */
static int t_close (lua_State *L) {
  lua_toclose(L, 1);
  return yielded(lua_yieldk(L, lua_gettop(L) - 1, 0, close_k));
}

static int push_results (lua_State *L, lua_State *co, int status, int results) {
  luaL_checkstack(L, results + 2, NULL);
  lua_pushinteger(L, status);
  lua_insert(L, 1);
  lua_settop(L, 1);
  if (status == LUA_OK || status == LUA_YIELD)
    lua_xmove(co, L, results);
  else
    lua_xmove(co, L, 1);
  return lua_gettop(L);
}

/* T.resume(co, ...): lua_resume; the status first, then the results. */
static int t_resume (lua_State *L) {
  lua_State *co = lua_tothread(L, 1);
  int results = 0;
  int args = lua_gettop(L) - 1;
  int status;
  luaL_argcheck(L, co != NULL, 1, "thread expected");
  luaL_checkstack(co, args, NULL);
  lua_xmove(L, co, args);
  status = lua_resume(co, L, args, &results);
  return push_results(L, co, status, results);
}

/* T.collecton(co): a full collection that runs its finalizers on another thread's stack. */
static int t_collecton (lua_State *L) {
  lua_State *co = lua_tothread(L, 1);
  luaL_argcheck(L, co != NULL, 1, "thread expected");
  lua_gc(co, LUA_GCCOLLECT);
  return 0;
}

/* T.fieldon(co, object, key): object[key] with its metamethods, computed on another thread's stack. */
static int t_fieldon (lua_State *L) {
  lua_State *co = lua_tothread(L, 1);
  luaL_argcheck(L, co != NULL, 1, "thread expected");
  lua_settop(L, 3);
  luaL_checkstack(co, 2, NULL);
  lua_xmove(L, co, 2);
  lua_gettable(co, -2);
  lua_xmove(co, L, 1);
  lua_pop(co, 1);
  return 1;
}

static void yield_hook (lua_State *L, lua_Debug *ar) {
  (void)ar;
  if (lua_isyieldable(L))
    lua_yield(L, 0);
}

static void silent_hook (lua_State *L, lua_Debug *ar) {
  (void)ar;
  lua_getinfo(L, "Sl", ar);
}

/* T.hook(co, kind, count): "yield" on lines or counts, "silent" on everything, or none. */
static int t_hook (lua_State *L) {
  lua_State *co = lua_tothread(L, 1);
  const char *kind = luaL_optstring(L, 2, "");
  int count = (int)luaL_optinteger(L, 3, 0);
  luaL_argcheck(L, co != NULL, 1, "thread expected");
  if (strcmp(kind, "yield") == 0)
    lua_sethook(co, yield_hook, count > 0 ? LUA_MASKCOUNT : LUA_MASKLINE, count);
  else if (strcmp(kind, "silent") == 0)
    lua_sethook(co, silent_hook, LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT, 1);
  else
    lua_sethook(co, NULL, 0, 0);
  return 0;
}

/* T.finalizer(): a userdata whose __gc is a C function that calls other C functions. */
static int finalize (lua_State *L) {
  lua_getglobal(L, "finalized");
  lua_pushinteger(L, lua_tointeger(L, -1) + 1);
  lua_setglobal(L, "finalized");
  return 0;
}

static int t_finalizer (lua_State *L) {
  lua_newuserdatauv(L, 0, 0);
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, finalize);
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
  return 1;
}

/* T.allow(n): lets n more allocations succeed; no argument: all. */
static int t_allow (lua_State *L) {
  allowed = (long)luaL_optinteger(L, 1, -1);
  return 0;
}

/* T.checked(): whether Lua was compiled with its assertions. */
static int t_checked (lua_State *L) {
#if defined(LUAI_ASSERT)
  lua_pushboolean(L, 1);
#else
  lua_pushboolean(L, 0);
#endif
  return 1;
}

static const luaL_Reg functions[] = {
  {"yield", t_yield}, {"yieldlast", t_yieldlast}, {"count", t_count}, {"call", t_call}, {"callraw", t_callraw},
  {"pcall", t_pcall}, {"pcallraw", t_pcallraw}, {"callyield", t_callyield}, {"pcallyield", t_pcallyield},
  {"yielderror", t_yielderror}, {"close", t_close}, {"resume", t_resume}, {"collecton", t_collecton},
  {"fieldon", t_fieldon}, {"hook", t_hook}, {"finalizer", t_finalizer}, {"allow", t_allow}, {"checked", t_checked},
  {NULL, NULL}
};

static int traceback (lua_State *L) {
  luaL_traceback(L, L, luaL_tolstring(L, 1, NULL), 1);
  return 1;
}

int main (int argc, char **argv) {
  int status, i;
  lua_State *L = lua_newstate(allocate, NULL);
  if (L == NULL || argc < 2) {
    fprintf(stderr, "usage: driver FILE ARGS...\n");
    return 2;
  }
  luaL_openlibs(L);
  luaL_newlib(L, functions);
  lua_setglobal(L, "T");
  lua_pushcfunction(L, traceback);
  status = luaL_loadfile(L, argv[1]);
  for (i = 2; i < argc; i++)
    lua_pushstring(L, argv[i]);
  if (status == LUA_OK)
    status = lua_pcall(L, argc - 2, 0, 1);
  if (status != LUA_OK)
    fprintf(stderr, "%s\n", lua_tostring(L, -1));
  lua_close(L);
  fprintf(stderr, "yields returned: %ld\n", returned);
  return status != LUA_OK;
}

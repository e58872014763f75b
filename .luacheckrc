-- What runs inside nginx: LuaJIT 5.1 with the globals of ngx_http_lua_module.
std = "ngx_lua"
max_line_length = 80

local module: {[string]: any}
return module

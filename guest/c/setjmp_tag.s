# The exception tag that wasi-libc's setjmp run time throws; the compiler no longer emits it in every object.
	.tagtype	__c_longjmp i32
	.globl	__c_longjmp
__c_longjmp:

int a;
	int b;	

"""Could the answer be had without looking at the lungs?"""
